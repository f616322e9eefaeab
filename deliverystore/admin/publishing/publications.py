"""The list of publications, and the page of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from deliverystore import publishing
from deliverystore.admin.datacenter.looks import begun as begun_text
from deliverystore.admin.datacenter.looks import with_progress
from deliverystore.admin.publishing import acting, looks, words
from deliverystore.admin.publishing.asking import whether_to_take_off
from deliverystore.admin.publishing.pages import PublicationPages
from deliverystore.admin.readonly import BoundedAdmin
from deliverystore.models import Publication
from deliverystore.models.access import may

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

_VIEW = "deliverystore.view_publication"


@admin.action(permissions=["publish"], description=_("Publish again"))
def again(
    page: admin.ModelAdmin, request: HttpRequest, publications: QuerySet[Publication]
) -> None:
    """Hand publications to workers once more."""
    acting.publish(request, [one.filemeta for one in publications])


@admin.action(permissions=["publish"], description=_("Take off the site…"))
def off(
    page: admin.ModelAdmin, request: HttpRequest, publications: QuerySet[Publication]
) -> HttpResponse | None:
    """Ask first, then take from visitors what is public of some files."""
    if not request.POST.get("post"):
        back = request.get_full_path()
        return whether_to_take_off(page, request, list(publications), back=back)
    acting.take_off(request, [one.filemeta for one in publications])
    return None


@admin.register(Publication)
class PublicationAdmin(BoundedAdmin):
    change_list_template = "admin/deliverystore/publication/change_list.html"
    change_form_template = "admin/deliverystore/publication/change_form.html"
    list_display = ("picture", "name", "processor", "state_badge", "begun")
    list_display_links = ("name",)
    list_filter = ("state",)
    lookups = ("state__exact",)
    ordering = ("-pk",)
    # Only what has an index.
    sortable_by = ("begun",)
    actions = (again, off)

    class Media:
        css = {"all": ("deliverystore/datacenter-runs.css",)}

    # -- Who may ------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(
        self, request: HttpRequest, obj: Publication | None = None
    ) -> bool:
        return request.user.has_perm(_VIEW) or self.has_publish_permission(request)

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Tell whether the actions are offered."""
        return may(request.user, "publish")

    def has_delete_permission(
        self, request: HttpRequest, obj: Publication | None = None
    ) -> bool:
        return False

    # -- The list -----------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        return (
            Publication.objects.select_related("filemeta__delivery", "user")
            .defer("error", "error_metadata")
            .prefetch_related("filemeta__published_files")
        )

    @admin.display(description="")
    def picture(self, publication: Publication) -> SafeString | str | None:
        """Return the smallest public picture."""
        # Those were loaded for the whole page at once.
        return looks.thumbnail(looks.public(publication.filemeta)) or None

    @admin.display(description=_("file"), ordering="pk")
    def name(self, publication: Publication) -> str:
        """Return what leads to the page of the publication."""
        return publication.filemeta.filename

    @admin.display(description=_("state"))
    def state_badge(self, publication: Publication) -> SafeString:
        """Return the state and, as long as it is not over, how far it is."""
        badge = looks.badge(publication)
        if publication.state == Publication.State.FAILED:
            text = '{} <span class="quiet">{}</span>'
            return format_html(text, badge, publication.error_class)
        part = None if publication.is_over else looks.share(publication)
        return with_progress(badge, part, _("done"))

    @admin.display(description=_("begun"), ordering="added")
    def begun(self, publication: Publication) -> SafeString:
        """Return when it was begun, and by whom."""
        return begun_text(publication)

    # -- One publication ----------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        return [*PublicationPages(self).urls(), *super().get_urls()]

    def context_of(self, request: HttpRequest, obj: Publication) -> dict[str, Any]:
        may_see = obj.filemeta.delivery.permits(request.user, "view")
        published = looks.public_files(looks.public(obj.filemeta))
        return {
            "badge": looks.badge(obj),
            "in_words": words.in_words(obj, has_files=bool(published)),
            # A template would take a fact of the name "items" for all of them.
            "error_facts": list(obj.error_metadata.items()),
            "facts": looks.facts(obj, self.admin_site.name, is_linked=may_see),
            "live": looks.progress(obj),
            "published": published,
            "may_publish": publishing.may_publish(request.user, obj.filemeta),
        }
