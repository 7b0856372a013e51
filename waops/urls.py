from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", admin.site.urls),
]

handler400 = "waops.serving.errors.bad_request"
handler500 = "waops.serving.errors.server_error"
