"""The pages of django-import-export, with headquarters' rights, its own format, and refusals in its own words."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportMixin
from import_export.tmp_storages import CacheStorage
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from hq.admin.asking import actor_of, company_of
from hq.admin.base import HqAdmin
from hq.admin.files.formats import LARGEST_FILE, SafeCsv
from hq.admin.files.resources import VerbResource
from stores.access import Right
from stores.errors import HubError


class FilesForm(ImportForm):
    """At most one mebibyte; orders, of which there are more, have a page of their own."""

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > LARGEST_FILE:
            self.add_error("import_file", _("The file is too large: import it in parts."))
        return file


class FilesAdmin(ImportExportMixin, HqAdmin):
    """Beside the verbs of a page: many rows at once, by file. What is written comes from the verbs, the trail with it."""

    resource: ClassVar[type[VerbResource]]
    format: ClassVar[type[SafeCsv]]
    import_form_class = FilesForm
    export_form_class = ExportForm
    skip_admin_log = True  # the trail is written by the verbs
    tmp_storage_class = CacheStorage  # the second request may be another machine's
    import_export_change_list_template = "admin/import_export/change_list_import_export.html"

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Right.MANAGE_STORES)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Right.SEE_HQ)

    def get_import_resource_classes(self, request: HttpRequest) -> list[type[VerbResource]]:
        return [self.resource]

    get_export_resource_classes = get_import_resource_classes

    def get_import_resource_kwargs(self, request: HttpRequest, **_options: Any) -> dict[str, Any]:
        return {"company": company_of(request), "by": actor_of(request)}

    def get_export_resource_kwargs(self, request: HttpRequest, **_options: Any) -> dict[str, Any]:
        return {"company": company_of(request)}

    def get_import_data_kwargs(self, **_options: Any) -> dict[str, Any]:
        return {}

    def get_import_formats(self) -> list[type[SafeCsv]]:
        return [self.format]

    get_export_formats = get_import_formats

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        if not isinstance(e, HubError):
            raise e
        form.add_error("import_file", str(e.sentence))

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """Rows are done one by one: what somebody else was quicker with is told, the others are in."""
        for row in result.invalid_rows:
            said = " ".join(row.error.messages)
            messages.error(request, _("Row %(number)s: %(said)s") % {"number": row.number, "said": said})
        answer: HttpResponse = super().process_result(result, request)
        return answer
