"""The list of publications, and the page of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import F, Value
from django.db.models.functions import Left
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from deliverystore import publishing
from deliverystore.admin.changelist import BoundedChangeList
from deliverystore.admin.datacenter.looks import begun as begun_text
from deliverystore.admin.datacenter.looks import with_progress
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.admin.publishing import acting, looks, words
from deliverystore.admin.publishing.asking import whether_to_take_off
from deliverystore.admin.publishing.pages import PublicationPages
from deliverystore.admin.readonly import BoundedAdmin
from deliverystore.admin.storedvalue_filters import few_or_all
from deliverystore.models import Publication
from deliverystore.models.access import may
from deliverystore.models.recipient import load_recipients
from deliverystore.models.search import BeginsWith
from deliverystore.paths import name_key
from deliverystore.publishing.registry import get_processors

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

_VIEW = "deliverystore.view_publication"
# So much of an error is shown in the list.
_ERROR = 120


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


class ProcessorFilter(admin.SimpleListFilter):
    """Offers the media processors that there are; the table is not asked."""

    title = _("processor")
    parameter_name = "processor"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, str]]:
        return [(name, name) for name in get_processors()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Publication]
    ) -> QuerySet[Publication]:
        name = self.value()
        return queryset.filter(processor=name) if name else queryset


class PublicationChangeList(BoundedChangeList):
    """Loads the recipients of the deliveries together."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        load_recipients([one.filemeta.delivery for one in self.result_list])


@admin.register(Publication)
class PublicationAdmin(BoundedAdmin):
    change_list_template = "admin/deliverystore/publication/change_list.html"
    change_form_template = "admin/deliverystore/publication/change_form.html"
    list_display = (
        "picture",
        "name",
        "delivery",
        "processor",
        "state_badge",
        "begun",
    )
    list_display_links = ("name",)
    list_filter = ("state", ProcessorFilter)
    lookups = ("state__exact",)
    ordering = ("-pk",)
    # Only what has an index.
    sortable_by = ("begun",)
    search_fields = ("filemeta",)
    search_help = _("The beginning of a filename.")
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
            .annotate(error_start=Left("error", _ERROR + 1))
            .annotate(is_linked=Value(may(request.user, "view")))
            .prefetch_related("filemeta__published_files")
        )

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[PublicationChangeList]:
        return PublicationChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        if not (text := search_term.strip()):
            return queryset, False
        named = Publication.objects.filter(
            BeginsWith(F("filemeta__name_key"), name_key(text))
        )
        return queryset.filter(few_or_all(named.values_list("pk", flat=True))), False

    @admin.display(description="")
    def picture(self, publication: Publication) -> SafeString | str | None:
        """Return the smallest public picture."""
        # Those were loaded for the whole page at once.
        return looks.thumbnail(looks.public(publication.filemeta)) or None

    @admin.display(description=_("file"), ordering="pk")
    def name(self, publication: Publication) -> str:
        """Return what leads to the page of the publication."""
        return publication.filemeta.filename

    @admin.display(description=_("delivery"))
    def delivery(self, publication: Publication) -> str:
        """Return the delivery, as what leads to it if the user may see that."""
        file = publication.filemeta
        is_linked = publication.is_linked  # type: ignore[attr-defined]
        return looks.delivery(file, self.admin_site.name, is_linked=is_linked)

    @admin.display(description=_("state"))
    def state_badge(self, publication: Publication) -> SafeString:
        """Return the state and, as long as it is not over, how far it is."""
        badge = looks.badge(publication)
        if publication.state == Publication.State.FAILED:
            start = publication.error_start  # type: ignore[attr-defined]
            error = ": ".join(filter(None, (publication.error_class, start)))
            text = '{} <span class="quiet">{}</span>'
            return format_html(text, badge, shown(" ".join(error.split()), _ERROR))
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
