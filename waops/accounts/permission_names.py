"""Show permissions in the reader's language; the database stores their names in English."""

from django import forms
from django.contrib.auth.models import Permission
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

DEFAULT_ACTIONS = {
    "add": _("Can add %(name)s"),
    "change": _("Can change %(name)s"),
    "delete": _("Can delete %(name)s"),
    "view": _("Can view %(name)s"),
}


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Choices such as "Escalations: Can resolve escalations"."""

    def label_from_instance(self, obj: Permission) -> str:
        model = obj.content_type.model_class()
        if model is None:  # the permission's app is no longer installed
            return obj.name
        action, _separator, name = obj.codename.partition("_")
        if action in DEFAULT_ACTIONS and name == model._meta.model_name:
            what = DEFAULT_ACTIONS[action] % {"name": model._meta.verbose_name}
        else:
            what = gettext(obj.name)
        return f"{model._meta.app_config.verbose_name}: {what}"
