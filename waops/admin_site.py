from django.contrib.admin import AdminSite


class WaopsAdminSite(AdminSite):
    pass
