"""What makes something for visitors of a file that was handed in."""

from __future__ import annotations

from deliverystore.models import FileMeta
from deliverystore.publishing.jobs import Job


class MediaProcessor:
    """Publishes files of one kind; a subclass says which, and how.

    name is what the processor is called in commands and the admin; without one, it
    is that of the class in lower case, without "processor". description says in a
    few words what it makes.
    """

    name = ""
    description = ""

    def is_eligible(self, filemeta: FileMeta) -> bool:
        """Tell whether this processor can publish something of a file.

        It is asked before the work: look at filename and content_type rather than
        into the file.
        """
        raise NotImplementedError

    def process(self, job: Job) -> None:
        """Make what is to be published, and give it to the job.

        What it raises becomes the error of the publication, and nothing of the job
        is published: ProcessingFailed says in plain words what is wrong with the file.
        """
        raise NotImplementedError
