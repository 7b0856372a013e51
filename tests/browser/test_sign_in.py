"""The second factor in a browser: set up, asked for, and readable in both languages, on a desk and on a phone."""

from collections.abc import Callable

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.factories import staff
from tests.waops.accounts.conftest import code_of

pytestmark = pytest.mark.browser

LOOKS = [
    pytest.param({"language": "en", "color_scheme": "light", "viewport": DESKTOP}, id="en-light-desktop"),
    pytest.param({"language": "ar", "color_scheme": "dark", "viewport": PHONE}, id="ar-dark-phone"),
]


def clean(visitor: Visitor) -> bool:
    assert visitor.page.locator("h1").count() == 1
    assert (visitor.violations(), visitor.overflow(), visitor.complaints) == ([], 0, [])
    return True


@pytest.mark.parametrize("look", LOOKS)
def test_every_step_is_accessible_and_fits(visit: Callable[..., Visitor], look: dict) -> None:
    user = staff("Support", username="mona")
    visitor = visit(user, **look)
    page = visitor.page
    main_button = page.locator(".second-factor button.button--main")
    assert visitor.open("/second-factor/") == 200
    assert clean(visitor)
    main_button.click()
    assert page.locator(".second-factor__picture").evaluate("image => image.naturalWidth > 100")
    assert clean(visitor)
    device = TOTPDevice.objects.get(user=user)
    page.locator("#code").fill(code_of(device))
    main_button.click()
    assert page.locator(".backup-codes li").count() == 10
    code = page.locator(".backup-codes li").first.inner_text()
    assert clean(visitor)
    visitor.open("/second-factor/")
    assert clean(visitor)

    again = visit(user, **look)
    again.open("/")
    assert again.page.locator("#code").evaluate("field => field === document.activeElement")
    assert clean(again)
    again.page.locator("#code").fill(code)
    again.page.keyboard.press("Enter")
    again.page.wait_for_url(f"{again.site}/")
    assert clean(again)
