"""The entry for the web server."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

from consumers.parent_watch import end_with_master
from notifications_site.raw_requests import made_readable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_site.settings")
application = made_readable(get_wsgi_application())
end_with_master()
import_module("templates_app.usage").keep_writing()  # models can be imported only now
