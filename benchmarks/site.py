"""The site whose downloads are measured: everybody may have everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.urls import include, path


class _Superuser:
    pk = None
    is_authenticated = True

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return True


def everything_is_allowed(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let every request count as that of a superuser."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.user = _Superuser()  # type: ignore[assignment]
        return get_response(request)

    return middleware


def bare(request: HttpRequest, name: str) -> FileResponse:
    """Send a file as Django does."""
    return FileResponse(Path(f"/{name}").open("rb"))


urlpatterns = [
    path("bare/<path:name>", bare),
    path("deliveries/", include("deliverystore.urls")),
]
