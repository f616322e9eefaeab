"""Campus's pages, the admin, and deliverystore's own below /deliveries/."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from example_project.campus.views import media

urlpatterns = [
    path("", include("example_project.campus.urls")),
    path("deliveries/", include("deliverystore.urls")),
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    # What was published. A real site lets its web server, or a CDN, do this.
    path("media/<path:path>", media),
]
