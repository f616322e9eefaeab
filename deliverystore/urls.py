"""Where the views are; include it below any prefix."""

from __future__ import annotations

from django.urls import path

from deliverystore.views.archive import archive
from deliverystore.views.download import download
from deliverystore.views.receipt import receipt, verify_receipt
from deliverystore.views.upload import UploadsView, UploadView

app_name = "deliverystore"

urlpatterns = [
    path("files/<int:pk>/", download, name="download"),
    path("<int:pk>/receipt/", receipt, name="receipt"),
    path("<int:pk>/archive/", archive, name="archive"),
    path("verify-receipt/", verify_receipt, name="verify-receipt"),
    path("<int:pk>/uploads/", UploadsView.as_view(), name="uploads"),
    path("uploads/<uuid:pk>/", UploadView.as_view(), name="upload"),
]
