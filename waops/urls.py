from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", admin.site.urls),
]
if settings.DEBUG_TOOLBAR:
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns[:0] = debug_toolbar_urls()  # before the site, which handles everything else

handler400 = "waops.serving.errors.bad_request"
handler403 = "waops.site.permission_denied"
handler500 = "waops.serving.errors.server_error"
