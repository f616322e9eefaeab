"""A project whose admin has another name, and none is called "admin"."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from deliverystore.admin import DataCenterAdmin, ExportAdmin, ImportRunAdmin
from deliverystore.models import DataFileInfo, Export, ImportRun

site = admin.AdminSite(name="office")
site.register(DataFileInfo, DataCenterAdmin)
site.register(ImportRun, ImportRunAdmin)
site.register(Export, ExportAdmin)

urlpatterns = [
    path("office/", site.urls),
    path("deliveries/", include("deliverystore.urls")),
]
