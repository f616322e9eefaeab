"""Where Campus's pages are."""

from __future__ import annotations

from django.urls import path

from deliverystore.views.receipt import verify_receipt

from . import views

app_name = "campus"

urlpatterns = [
    path("", views.home, name="home"),
    path("gallery/", views.gallery, name="gallery"),
    path("gallery/<int:pk>/", views.exhibit, name="exhibit"),
    path("assignments/<int:pk>/", views.assignment, name="assignment"),
    path("handed-in/<int:pk>/", views.handed_in, name="handed-in"),
    # The app's own view, in Campus's clothes.
    path(
        "verify/",
        verify_receipt,
        {"template": "campus/verify_receipt.html"},
        name="verify-receipt",
    ),
    path("open/<int:pk>/finish/", views.finish, name="finish"),
    path("open/<int:pk>/abandon/", views.abandon, name="abandon"),
    path("files/<int:pk>/remove/", views.remove_file, name="remove-file"),
]
