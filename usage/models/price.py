"""What a model's tokens cost."""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from usage.rollup import reprice


class Price(models.Model):
    """Price of a model from a day on, until the model's next price. Days begin at midnight in `settings.TIME_ZONE`."""

    model = models.CharField(
        _("model"), max_length=100, help_text=_("As named in the replies, for example gpt-4.1-mini.")
    )
    valid_from = models.DateField(_("valid from"))
    input_per_million = models.DecimalField(_("per million input tokens"), max_digits=12, decimal_places=4)
    output_per_million = models.DecimalField(_("per million output tokens"), max_digits=12, decimal_places=4)
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="USD",
        validators=[RegexValidator("^[A-Z]{3}$", _("Three capital letters, such as USD."))],
    )

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["model", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["model", "valid_from"], name="one_price_of_a_model_per_day"),
            models.CheckConstraint(
                condition=models.Q(input_per_million__gte=0, output_per_million__gte=0), name="price_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.valid_from}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and assign existing counts to the new prices."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            reprice(*{self.model, getattr(self, "_stored_model", self.model)})
        self._stored_model = self.model

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            deleted = super().delete(*args, **kwargs)
            reprice(self.model)
        return deleted

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> "Price":
        price = super().from_db(*args, **kwargs)
        price._stored_model = price.model
        return price
