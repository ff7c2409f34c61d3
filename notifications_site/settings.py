"""All settings on one page. Without any variable this is the embedded mode: SQLite, no broker, mail is captured."""

import hashlib
import socket
from datetime import timedelta
from functools import partial
from pathlib import Path

from channels_email import dkim_keys, mail_services, webhook_keys
from channels_email.mail_headers import reply_to
from channels_email.return_address import read_bounce_domain
from channels_push import service_settings
from consumers.delivery_rules import read_rules
from gateway.service_address import read_service_url
from gateway.service_key import read_service_key
from notifications_site import env
from notifications_site.local_secrets import local_secret
from notifications_site.structured_logging import configure_logging
from users.key_ring import read_keys
from users.rates import DEFAULT_RATES

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

# --- where we are -----------------------------------------------------------------------------------------------------
ENVIRONMENT = env.choice(
    "ENVIRONMENT",
    "local",
    allowed=("local", "staging", "production"),
    meaning="Chooses the badge in the admin and safe defaults.",
)
IS_LOCAL = ENVIRONMENT == "local"
VAR_DIR = Path(
    env.text(
        "VAR_DIR",
        str(BASE_DIR / "var"),
        shown_default="var/ beside manage.py",
        meaning="Folder for what must survive a restart: SQLite file, outcome journals, locks, local secrets.",
    )
)
VAR_DIR.mkdir(parents=True, exist_ok=True)
SERVICE_ROLE = env.choice(
    "SERVICE_ROLE",
    "all",
    allowed=("all", "gateway", "users", "templates"),
    meaning="Which set of URLs a web process serves: all, gateway, users or templates.",
)
PORT = env.integer(
    "PORT",
    3000,
    least=1,
    most=65530,
    meaning="Port of the web process; role users answers at PORT+1, the consumers' /health at PORT+2 and PORT+3, role "
    "templates at PORT+5.",
)
PUBLIC_URL = env.text(
    "PUBLIC_URL",
    f"http://127.0.0.1:{PORT}",
    shown_default="http://127.0.0.1:PORT",
    meaning="Address under which people and clients reach us; used in links.",
).rstrip("/")
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS",
    ["127.0.0.1", "localhost", "[::1]"],
    meaning="Host names we answer to, separated by commas; besides them the name of the machine.",
)
# By it Prometheus and load balancers reach a process that is in the list of live services. Links never use it.
ALLOWED_HOSTS.append(socket.gethostname())
DEBUG = False

# --- secrets ----------------------------------------------------------------------------------------------------------
SECRET_KEY = env.text(
    "SECRET_KEY",
    local_secret(VAR_DIR, "secret_key") if IS_LOCAL else "",
    shown_default="local: made once in VAR_DIR; elsewhere required",
    meaning="Signs sessions and links; 50 random characters or more.",
)
if not SECRET_KEY:
    raise env.WrongSetting(
        f"SECRET_KEY is not set; with ENVIRONMENT={ENVIRONMENT} it is needed: 50 random characters or more."
    )
ENCRYPTION_KEYS = env.parsed(
    "ENCRYPTION_KEYS",
    read_keys,
    default=local_secret(VAR_DIR, "encryption_key") if IS_LOCAL else "",
    shown_default="local: made once in VAR_DIR; elsewhere required",
    meaning="Encrypt personal data in the database: id:secret, separated by commas. The first encrypts, all of them "
    "open; a secret has 32 random characters or more.",
)
BLIND_INDEX_KEY = env.text(
    "BLIND_INDEX_KEY",
    local_secret(VAR_DIR, "blind_index_key") if IS_LOCAL else "",
    shown_default="local: made once in VAR_DIR; elsewhere required",
    meaning="By it people are found by their encrypted e-mail address; 32 random characters or more. It never changes.",
)

# --- the house --------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django_ace",  # only its files
    "django.contrib.admin.apps.SimpleAdminConfig",  # its pages load with the URLs: consumers need none
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "templated_mail",
    "django_ratelimit",
    "axes",
    "users.apps.UsersConfig",
    "templates_app.apps.TemplatesConfig",
    "gateway.apps.GatewayConfig",
    "channels_email.apps.ChannelsEmailConfig",
    "channels_push.apps.ChannelsPushConfig",
    "consumers.apps.ConsumersConfig",
    "notifications_site.apps.SiteConfig",
]
MIDDLEWARE = [
    "gateway.correlation.CorrelationMiddleware",
    "notifications_site.metrics.MetricsMiddleware",
    "notifications_site.patience.PatienceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "notifications_site.content_security.ContentSecurityMiddleware",
    "notifications_site.trailing_slash.TrailingSlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "notifications_site.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "notifications_site.staff_timezone.StaffTimezoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "notifications_site.urls"
WSGI_APPLICATION = "notifications_site.wsgi.application"
APPEND_SLASH = False  # API paths answer with and without the slash, never by redirect: trailing_slash.py
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "notifications_site" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
#: Sign-in to the admin: so many wrong passwords lock an account, from that address alone: nobody locks others out.
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "locked.html"
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "users.lock_out.account_of"
AXES_CLIENT_IP_CALLABLE = "users.throttling.address_of"
AXES_SENSITIVE_PARAMETERS = ["username", "password"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # our own page: users/admin/sign_ins.py
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- database ---------------------------------------------------------------------------------------------------------
#: IMMEDIATE takes the write lock at BEGIN, so that two claimers never read the same rows; FULL survives a power cut.
SQLITE = {
    "ENGINE": "notifications_site.sqlite",
    "NAME": VAR_DIR / "notifications.sqlite3",
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000; "
        "PRAGMA temp_store=MEMORY;",
    },
}
#: For a server that is gone without a word. Seconds, but the last, which is in milliseconds.
POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
DATABASES = {
    "default": env.database(
        "DATABASE_URL",
        SQLITE,
        shown_default="SQLite: VAR_DIR/notifications.sqlite3",
        meaning="PostgreSQL 14 or newer: postgres://user:password@host:5432/name.",
    )
}
# A connection per request costs about thirty times a kept one. Every thread keeps one, in web processes and consumers.
DATABASES["default"].setdefault("CONN_MAX_AGE", 600)
DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
if "postgresql" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["ENGINE"] = "notifications_site.postgresql"
    DATABASES["default"]["OPTIONS"] = POSTGRESQL_OPTIONS | DATABASES["default"].get("OPTIONS", {})
DATABASE_PATIENCE_MS = env.integer(
    "DATABASE_PATIENCE_MS",
    1000,
    least=50,
    most=60_000,
    meaning="Milliseconds a request to the API waits for PostgreSQL altogether; then it is answered with 503.",
)

# --- broker -----------------------------------------------------------------------------------------------------------
RABBITMQ_URL = env.broker_url(
    "RABBITMQ_URL",
    meaning="RabbitMQ: amqp://user:password@host:5672/vhost. Needs PostgreSQL. Without it the table is the queue.",
)
RABBITMQ_PREFIX = env.text(
    "RABBITMQ_PREFIX",
    "",
    meaning="Put before the names of exchange and queues, where installations share a broker.",
)
RELAY_HIGH_WATER = env.integer(
    "RELAY_HIGH_WATER",
    2000,
    least=1,
    most=1_000_000,
    meaning="Most hints the relay keeps in a queue; the rest waits in the table, where priorities still count.",
)

# --- Redis ------------------------------------------------------------------------------------------------------------
REDIS_URL = env.redis_url(
    "REDIS_URL",
    meaning="Redis: redis://:password@host:6379/0, rediss:// with TLS, redis+cluster:// for a cluster. What processes "
    "share to be faster; it may vanish at any moment. Without it the database is asked.",
)
#: What is in it, for how long, and why it cannot lie: docs/explanation/caching.md.
REDIS = {
    "BACKEND": "users.redis_cache.CarefulRedisCache",
    "LOCATION": REDIS_URL,
    "OPTIONS": {
        "CONNECTION_FACTORY": "users.redis_cache.CarefulConnectionFactory",
        "REDIS_CLIENT_CLASS": "users.redis_cache.CarefulRedis",
        # Never pickle: whoever can write to Redis must not be able to run code here.
        "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
        "IGNORE_EXCEPTIONS": True,
    },
}
CACHES = {
    "default": REDIS if REDIS_URL else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "ratelimit": {"BACKEND": f"gateway.counter_cache.{'Redis' if REDIS_URL else 'Database'}CounterCache"},
}
RATELIMIT_USE_CACHE = "ratelimit"
RATELIMIT_IP_META_KEY = "users.throttling.address_of"
SILENCED_SYSTEM_CHECKS = [
    "django_ratelimit.W001",  # it knows no counter but its own three; ours is exact
    "security.W004",  # whatever ends TLS in front of us sets Strict-Transport-Security
    "security.W008",  # and leads people from http to https
    "security.W019",  # the editor shows previews in frames; content_security.py says page by page who may
    "auth.E003",  # e-mail addresses are encrypted: their blind index is what is unique
    "auth.W004",  # the same, where more than one backend signs people in
]
RATE_LIMITS = env.rates(
    "RATE_LIMITS",
    DEFAULT_RATES,
    meaning="How often a client may call, by policy, such as submit=100/m,login=3/m; windows of up to an hour.",
)

# --- delivery ---------------------------------------------------------------------------------------------------------
#: Each channel with its providers (gateway/channel_table.py).
CHANNELS = ["channels_email.channel.EmailChannel", "channels_push.channel.PushChannel"]
#: Empty where the environment says nothing: then the order stored in the admin holds, or capture.
EMAIL_PROVIDERS = env.providers(
    "EMAIL_PROVIDERS",
    meaning="Mail services in order of preference: smtp, "
    f"{', '.join(mail_services.MAIL_SERVICES)}; capture keeps the mail for the admin's inbox. With weights "
    "they share the traffic, the rest stands by: sendgrid:70,mailgun:30,smtp. Not set: the order stored in the admin.",
)
EMAIL_URL = env.mail_server(
    "EMAIL_URL",
    meaning="Mail server of the provider smtp: smtp+tls://user:password@host:587 (STARTTLS required), "
    "smtps://…:465 (TLS at once), smtp://…:25 (not encrypted). "
    "Options: ?timeout=30 (seconds for a whole mail), ca=FILE (trusted certificates), name=HOST (ours).",
)
for field, meaning in mail_services.all_settings():
    globals()[field.setting] = env.parsed(field.setting, field.read, shown_default=field.default, meaning=meaning)
PUSH_PROVIDERS = env.providers(
    "PUSH_PROVIDERS",
    meaning="Push services: fcm, onesignal, webpush, each for its own devices; capture keeps every other push for the "
    "admin's inbox. Not set: the order stored in the admin.",
)
FCM_CREDENTIALS = env.parsed(
    "FCM_CREDENTIALS",
    service_settings.read_service_account,
    meaning="Service account of the Firebase project, for the provider fcm: its JSON, or the path of the file.",
)
FCM_URL = env.parsed(
    "FCM_URL",
    read_service_url,
    default=service_settings.FCM_URL,
    meaning="Where Firebase Cloud Messaging answers: a proxy or a stand-in may take its place.",
)
FCM_TOKEN_URL = env.web_address(
    "FCM_TOKEN_URL", meaning="Where Google gives access tokens, instead of the address in FCM_CREDENTIALS."
)
ONESIGNAL_APP_ID = env.text("ONESIGNAL_APP_ID", "", meaning="The app at OneSignal, for the provider onesignal.")
ONESIGNAL_API_KEY = env.parsed("ONESIGNAL_API_KEY", read_service_key, meaning="The app's API key at OneSignal.")
ONESIGNAL_URL = env.parsed(
    "ONESIGNAL_URL",
    read_service_url,
    default=service_settings.ONESIGNAL_URL,
    meaning="Where OneSignal answers: a proxy or a stand-in may take its place.",
)
VAPID_PRIVATE_KEY = env.parsed(
    "VAPID_PRIVATE_KEY",
    service_settings.read_vapid_key,
    meaning="Signs our Web Push messages, for the provider webpush: made by make_vapid_key, never changed after that.",
)
VAPID_SUBJECT = env.parsed(
    "VAPID_SUBJECT",
    service_settings.read_vapid_subject,
    meaning="Whom a browser's push service can ask about our messages: mailto:ops@example.com or an https:// address.",
)
PROVIDER_WEBHOOK_SECRET = env.text(
    "PROVIDER_WEBHOOK_SECRET",
    "",
    meaning="User and password, separated by a colon, with which providers post their news (HTTP basic).",
)
SENDGRID_WEBHOOK_PUBLIC_KEY = env.parsed(
    "SENDGRID_WEBHOOK_PUBLIC_KEY",
    webhook_keys.read_sendgrid_key,
    meaning="Verification key of SendGrid's Signed Event Webhook; with it SendGrid's news must be signed.",
)
MAILGUN_WEBHOOK_SIGNING_KEY = env.text(
    "MAILGUN_WEBHOOK_SIGNING_KEY",
    "",
    meaning="HTTP webhook signing key of the Mailgun account; with it Mailgun's news must be signed.",
)
MAILTRAP_TRACKING_SECRET = env.text(
    "MAILTRAP_TRACKING_SECRET",
    "",
    meaning="Signature secret of the webhook at Mailtrap; with it Mailtrap's news must be signed.",
)
RESEND_SIGNING_SECRET = env.parsed(
    "RESEND_SIGNING_SECRET",
    webhook_keys.read_svix_secret,
    meaning="Signing secret of the webhook at Resend (whsec_…); with it Resend's news must be signed.",
)
DEFAULT_FROM_EMAIL = env.mailbox(
    "DEFAULT_FROM_EMAIL", "Notifications <notifications@localhost.localdomain>", meaning="Sender of our mails."
)
BOUNCE_DOMAIN = env.parsed(
    "BOUNCE_DOMAIN",
    read_bounce_domain,
    meaning="Where mails by smtp come back to: bounces.example.com makes every mail's return address "
    "b+TOKEN@bounces.example.com; name@example.com makes it name+TOKEN@example.com, for a mailbox that takes such "
    "addresses. Without it only the sender is there to send back to, and no bounce blocks an address.",
)
BOUNCE_MAILDIR = env.text(
    "BOUNCE_MAILDIR",
    "",
    meaning="Folder with mails that came back, as mail servers deliver them (maildir): taken from new/, kept in cur/.",
)
BOUNCE_IMAP_URL = env.imap_server(
    "BOUNCE_IMAP_URL",
    meaning="Mailbox with mails that came back, read each minute: imaps://user:password@host/INBOX, imap+tls://…:143 "
    "(STARTTLS required), imap://…:143 (not encrypted). Option: ?ca=FILE (trusted certificates).",
)
DEFAULT_REPLY_TO = env.parsed(
    "DEFAULT_REPLY_TO",
    reply_to,
    shown_default="DEFAULT_FROM_EMAIL",
    meaning="Where answers to our mails go, such as Shop <service@example.com>.",
)
DKIM_PRIVATE_KEY = env.parsed(
    "DKIM_PRIVATE_KEY",
    dkim_keys.read_private_key,
    meaning="Signs our mails for the provider smtp: RSA or Ed25519 in PEM, or the path of the file; made by "
    "make_dkim_key. Mail services sign by themselves.",
)
DKIM_SELECTOR = env.parsed(
    "DKIM_SELECTOR",
    dkim_keys.read_selector,
    meaning="Under which name the public half stands in DNS: SELECTOR._domainkey.DOMAIN.",
)
DKIM_DOMAIN = env.parsed(
    "DKIM_DOMAIN", dkim_keys.read_domain, meaning="For which domain is signed: the sender's, or one above it."
)
MAX_ATTEMPTS = env.integer(
    "MAX_ATTEMPTS", 8, least=1, most=50, meaning="Tries before a notification becomes a dead letter."
)
DELIVERY_RULES = env.parsed(
    "DELIVERY_RULES",
    partial(read_rules, max_attempts=MAX_ATTEMPTS),
    meaning="Retries, breakers and rates for a channel or a provider: email.max_attempts=5,smtp.rate=50/s.",
)
CONSUMER_NICENESS = env.integer(
    "CONSUMER_NICENESS",
    10,
    least=0,
    most=20,
    meaning="How far consumers, relay and sweeper give way to web processes: who asks is answered first. With 20 they "
    "take only what nobody else on the machine wants.",
)
CONTENT_DAYS = env.integer(
    "CONTENT_DAYS",
    30,
    least=1,
    most=3650,
    meaning="Days after which what was sent (variables, attachments, captured copies) is deleted; sensitive variables "
    "go at once.",
)
#: Where copies of it lie, beside the notification: functions that delete those of some notifications.
CONTENT_KEPT = [
    "channels_email.inbox.delete_content",
    "channels_push.inbox.delete_content",
    "gateway.attachments.delete_content",
]
RECORD_DAYS = env.integer(
    "RECORD_DAYS", 90, least=7, most=3650, meaning="Days a notification and its request id are kept."
)

#: Whoever can ask a push service about a token, for registering and checking devices: users/device_checks.py.
DEVICE_CHECK = "channels_push.device_checks.ask_provider"

#: Whoever keeps what is sent, for the life of templates: templates_app/usage.py.
SENT_WITH_TEMPLATES = "gateway.template_use.NotificationsWithTemplates"

# --- personal data ----------------------------------------------------------------------------------------------------
#: Whoever keeps something about people, for exports and erasures: users/privacy.py.
PERSONAL_DATA = [
    "channels_email.personal_data.CapturedEmailsOfPerson",
    "channels_push.personal_data.CapturedPushesOfPerson",
    "gateway.personal_data.NotificationsOfPerson",
]

# --- callbacks --------------------------------------------------------------------------------------------------------
CALLBACK_ALLOW_HTTP = env.flag(
    "CALLBACK_ALLOW_HTTP",
    IS_LOCAL,
    shown_default="local: on; elsewhere off",
    meaning="Callbacks may be sent without encryption, to addresses that begin with http://.",
)
CALLBACK_ALLOW_PRIVATE = env.flag(
    "CALLBACK_ALLOW_PRIVATE",
    IS_LOCAL,
    shown_default="local: on; elsewhere off",
    meaning="Callbacks may be sent to this machine and to private networks, by whoever adds an endpoint.",
)

# --- alerts -----------------------------------------------------------------------------------------------------------
ALERT_EMAILS = env.words(
    "ALERT_EMAILS", [], meaning="Operators who are told by mail when something is wrong, separated by commas."
)
ALERT_EMAIL_URL = env.mail_server(
    "ALERT_EMAIL_URL",
    meaning="Mail server for that, better not the one of the notifications: smtp+tls://user:password@host:587.",
)
ALERT_WEBHOOK_URL = env.web_address(
    "ALERT_WEBHOOK_URL", meaning="Where alerts are posted as JSON; Slack, Mattermost and their like show the text."
)
ALERT_QUIET_PERIOD = env.duration(
    "ALERT_QUIET_PERIOD",
    timedelta(hours=1),
    shown_default="1h",
    least=timedelta(minutes=1),
    meaning="So long the same alert is not sent again: 30m, 1h, 1d.",
)

# --- metrics ----------------------------------------------------------------------------------------------------------
METRICS_TOKEN = env.text(
    "METRICS_TOKEN",
    "",
    meaning="Opens /metrics and the list of targets for Prometheus, as an API key with metrics:read does. With "
    "ENVIRONMENT=local /metrics is open to all.",
)
BUILD_COMMIT = env.text(
    "BUILD_COMMIT", "", meaning="The commit an image was built of, told by the metric notify_build_info."
)

# --- tests of crashes -------------------------------------------------------------------------------------------------
FAILPOINTS = env.text(
    "FAILPOINTS",
    "",
    meaning="For tests only, refused unless ENVIRONMENT is local: where processes die or hang (gateway/failpoints.py).",
)
DELIVERY_TIME_SCALE = env.integer(
    "DELIVERY_TIME_SCALE",
    1,
    least=1,
    most=100,
    meaning="For tests only, refused unless ENVIRONMENT is local: leases and waits are so many times shorter.",
)
if (FAILPOINTS or DELIVERY_TIME_SCALE != 1) and not IS_LOCAL:
    name = "FAILPOINTS" if FAILPOINTS else "DELIVERY_TIME_SCALE"
    raise env.WrongSetting(f"{name} is set; with ENVIRONMENT={ENVIRONMENT} that is refused, it is for tests only.")

# --- API --------------------------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes, for any route; API views set less: users/api_view.py
CSRF_FAILURE_VIEW = "gateway.problems.csrf_failure"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "users.authentication.ApiKeyAuthentication",
        "users.authentication.AccessTokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["users.permissions.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["users.json_format.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["users.json_format.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "users.json_format.JSONNegotiation",
    "EXCEPTION_HANDLER": "gateway.problems.exception_handler",
    "NON_FIELD_ERRORS_KEY": "\0",  # no field a client makes up can have the same name: our parser refuses NUL
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": None,  # moments reach the renderer as they are; it knows the one form they are shown in
}
SELF_REGISTRATION = env.flag(
    "SELF_REGISTRATION",
    IS_LOCAL,
    shown_default="local: on; elsewhere off",
    meaning="Anybody may register by the API, with address and password; they get no role.",
)
#: Tokens of people; how long they live: users/tokens.py. All roles of an installation take each other's.
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": hashlib.sha256(b"tokens of people:" + SECRET_KEY.encode()).hexdigest(),
    "ISSUER": "notification-platform",
    "AUDIENCE": "notification-platform-api",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Notification platform",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1/",  # operations are grouped by what comes after it
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {
        "ChannelEnum": "users.channels.Channel",
        "DeliveryStateEnum": "gateway.callback_models.StatusCallback.State",
        "FirstStatusEnum": ["accepted", "suppressed"],
        "TemplateStatusEnum": ["active", "archived"],
        "VersionStateEnum": "templates_app.models.TemplateVersion.State",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"validatorUrl": None, "persistAuthorization": True},
}

# --- languages and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- files ------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_ROOT.mkdir(exist_ok=True)  # empty without collectstatic; WhiteNoise warns when it is missing
STATICFILES_DIRS = [BASE_DIR / "notifications_site" / "static"]
STATIC_COLLECTED = env.flag(
    "STATIC_COLLECTED",
    False,
    meaning="True in images: pages use the files that collectstatic has compressed and named by their content.",
)
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED  # serves without collectstatic
_STATIC_STORAGE = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if STATIC_COLLECTED
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC_STORAGE},
}

# --- security ---------------------------------------------------------------------------------------------------------
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "SAMEORIGIN"

# --- logs -------------------------------------------------------------------------------------------------------------
LOG_LEVEL = env.choice(
    "LOG_LEVEL", "INFO", allowed=("DEBUG", "INFO", "WARNING", "ERROR"), meaning="How much is logged."
)
LOG_FORMAT = env.choice(
    "LOG_FORMAT",
    "text" if IS_LOCAL else "json",
    allowed=("text", "json"),
    meaning="Readable lines or one JSON object per line. Default: text with ENVIRONMENT=local, json elsewhere.",
)
LOGGING_CONFIG = None
configure_logging(level=LOG_LEVEL, log_format=LOG_FORMAT)

# --- admin ------------------------------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Notification platform",
    "SITE_HEADER": "Notifications",
    "SITE_SYMBOL": "notifications",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "notifications_site.admin_site.environment_badge",
    "DASHBOARD_CALLBACK": "notifications_site.admin_site.first_page",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "notifications_site.admin_site.icon"}],
    "STYLES": ["notifications_site.admin_site.stylesheet"],
    "SCRIPTS": ["notifications_site.admin_site.script"],
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "notifications_site.admin_site.sidebar",
    },
    "COLORS": {
        "primary": {
            "50": "oklch(97.4% .014 222)",
            "100": "oklch(94.2% .03 222)",
            "200": "oklch(88.6% .055 223)",
            "300": "oklch(80.6% .088 225)",
            "400": "oklch(71.4% .112 228)",
            "500": "oklch(61.6% .116 231)",
            "600": "oklch(52.4% .108 234)",
            "700": "oklch(45.4% .093 236)",
            "800": "oklch(38.8% .077 238)",
            "900": "oklch(33.6% .062 240)",
            "950": "oklch(24.6% .046 242)",
        },
    },
}
