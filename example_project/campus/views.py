"""The pages on which students hand in homework."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe
from django.views.static import serve

from deliverystore.conf import conf
from deliverystore.exceptions import (
    DeliveryNotOpen,
    DeliveryRefused,
    InvalidName,
    LimitExceeded,
)
from deliverystore.models import Delivery, PublishedFile

from . import gallery as exhibition
from .changes import FilesChanged, UserRequest, changes, finish_as_shown
from .models import Assignment
from .overview import standings
from .uploads import limited_upload, uploaded_files

REFUSALS = (DeliveryRefused, InvalidName, LimitExceeded)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """All assignments, and how far I am with each."""
    assignments = Assignment.objects.with_delivery_count()
    context = {"standings": standings(assignments, request.user)}
    return render(request, "campus/home.html", context)


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """What students have handed in to be shown, for everybody."""
    page = exhibition.page_of(request.GET.get("page"))
    return render(request, "campus/gallery.html", {"page": page})


@require_safe
def exhibit(request: HttpRequest, pk: int) -> HttpResponse:
    """One photo or text of the gallery, for everybody."""
    try:
        found = exhibition.closer_look(pk)
    except PublishedFile.DoesNotExist as error:
        raise Http404 from error
    return render(request, "campus/exhibit.html", {"exhibit": found})


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file that was published."""
    response = serve(request, path, document_root=settings.MEDIA_ROOT)
    if response.headers.get("Content-Type") == "text/plain":
        # So they were written; a browser would take them for something else.
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response


@login_required
@limited_upload
def assignment(request: UserRequest, pk: int) -> HttpResponse:
    """What is to be done, what I have handed in; a POST adds files to it."""
    assignment = get_object_or_404(Assignment, pk=pk)
    if request.method != "POST":
        return _assignment_page(request, assignment)
    try:
        files = uploaded_files(request, "files")
        if not files:
            return _assignment_page(request, assignment, error="Choose a file first.")
        delivery = assignment.begin_or_continue(request.user)
        delivery.add_files([(file.name or "", file) for file in files])
    except REFUSALS as error:
        return _assignment_page(request, assignment, error=str(error))
    added = files[0].name if len(files) == 1 else f"{len(files)} files"
    messages.success(request, f"Added {added}.")
    return redirect(assignment)


@changes("files__pk")
def remove_file(request: UserRequest, delivery: Delivery, pk: int) -> HttpResponse:
    """Take one file out of my open delivery."""
    file = get_object_or_404(delivery.files, pk=pk)
    try:
        file.delete()
    except DeliveryNotOpen as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Removed {file.filename}.")
    return redirect("campus:assignment", delivery.recipient_id)


@changes("pk")
def finish(request: UserRequest, delivery: Delivery, pk: int) -> HttpResponse:
    """Hand my open delivery in; from now on nobody can change it."""
    try:
        finish_as_shown(delivery, request.POST.getlist("file"))
    except DeliveryNotOpen as error:
        if not Delivery.objects.finished().filter(pk=pk).exists():
            messages.error(request, str(error))
            return redirect("campus:assignment", delivery.recipient_id)
        messages.info(request, "This was handed in already.")
    except (*REFUSALS, FilesChanged) as error:
        messages.error(request, str(error))
        return redirect("campus:assignment", delivery.recipient_id)
    else:
        messages.success(
            request, "Handed in. This page is your proof; keep the receipt."
        )
    return redirect("campus:handed-in", pk)


@changes("pk")
def abandon(request: UserRequest, delivery: Delivery, pk: int) -> HttpResponse:
    """Give my open delivery up, with all its files."""
    try:
        delivery.abandon()
    except DeliveryNotOpen as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Abandoned. Nothing of it was kept.")
    return redirect("campus:assignment", delivery.recipient_id)


@login_required
@require_safe
def handed_in(request: UserRequest, pk: int) -> HttpResponse:
    """A finished delivery and its receipt, for who may see it."""
    visible = Delivery.objects.finished().visible_to(request.user)
    delivery = get_object_or_404(visible.select_related("delivered_by"), pk=pk)
    context = {"delivery": delivery, "showings": exhibition.showings(delivery)}
    return render(request, "campus/handed_in.html", context)


def _assignment_page(
    request: UserRequest, assignment: Assignment, *, error: str = ""
) -> HttpResponse:
    mine = assignment.deliveries.filter(delivered_by=request.user)
    context = {
        "assignment": assignment,
        "delivery": assignment.open_delivery_of(request.user),
        "earlier": mine.finished().order_by("-number"),
        "error": error,
        "limits": conf,
    }
    status = 400 if error else 200
    return render(request, "campus/assignment.html", context, status=status)
