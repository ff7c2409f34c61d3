"""Every problem code of the API: status, title, what it means, what to do. Answers and documentation read it here."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One code. `meaning` is the `detail` of answers that know nothing more precise."""

    status: int
    title: Words
    meaning: Words
    fix: Words


PROBLEMS: dict[str, ProblemKind] = {
    # --- 400: the request cannot be understood -----------------------------------------------------------------------
    "malformed_json": ProblemKind(
        400,
        _("The body cannot be read"),
        _("The body is not JSON, not UTF-8, or not an object."),
        _("Send one JSON object in UTF-8, without a byte order mark, with every name once and no NaN or Infinity."),
    ),
    "validation_error": ProblemKind(
        400,
        _("Some fields have the wrong shape"),
        _("At least one field or query parameter has the wrong shape."),
        _("Correct what errors points to: each entry has a pointer into the body, a code and a sentence."),
    ),
    "idempotency_key_mismatch": ProblemKind(
        400,
        _("Header and body name different requests"),
        _("The Idempotency-Key header and request_id in the body differ."),
        _("Send only one of them, or the same value in both."),
    ),
    "invalid_cursor": ProblemKind(
        400,
        _("The cursor was not made by us"),
        _("The cursor of this list cannot be read."),
        _("Follow next and previous as they were given; begin again without a cursor."),
    ),
    "invalid_signature": ProblemKind(
        400,
        _("No valid proof of origin"),
        _("This provider webhook carries no valid proof of who sent it."),
        _("Compare the webhook secret or signing key at the provider with the one set here."),
    ),
    "invalid_host": ProblemKind(
        400,
        _("Unknown host name"),
        _("The Host header names no host this installation answers to."),
        _("Call it under its public address; operators add names to ALLOWED_HOSTS."),
    ),
    # --- 401: who are you ---------------------------------------------------------------------------------------------
    "not_authenticated": ProblemKind(
        401,
        _("Credentials are needed"),
        _("The request has no usable Authorization header."),
        _("Send Authorization: Bearer followed by an API key or an access token."),
    ),
    "invalid_api_key": ProblemKind(
        401,
        _("The API key is not valid"),
        _("This API key is unknown, revoked or expired."),
        _("Use a current key; create_api_key and the admin make new ones."),
    ),
    "invalid_token": ProblemKind(
        401,
        _("The token is not valid"),
        _("The token is forged, malformed, of the wrong type or revoked, or its account is disabled."),
        _("Sign in again."),
    ),
    "token_expired": ProblemKind(
        401,
        _("The token has expired"),
        _("This access or refresh token is too old."),
        _("Get a new access token at /api/v1/auth/refresh/; if the refresh token is too old, sign in again."),
    ),
    "token_reused": ProblemKind(
        401,
        _("The refresh token was used twice"),
        _("This refresh token had been used before, so all tokens of that sign-in are revoked."),
        _("Sign in again. Keep only the newest refresh token; if you did, somebody else may hold a copy."),
    ),
    "invalid_credentials": ProblemKind(
        401,
        _("Sign-in failed"),
        _("No active account has this address and password."),
        _("Check both, or reset the password."),
    ),
    # --- 403: you may not ---------------------------------------------------------------------------------------------
    "insufficient_scope": ProblemKind(
        403,
        _("A scope is missing"),
        _("These credentials do not allow this."),
        _("Use a key with the scope in required_scope, or an account whose role includes it."),
    ),
    "registration_closed": ProblemKind(
        403,
        _("Registration is closed"),
        _("This installation lets nobody register by themselves."),
        _("Ask an operator for an account; SELF_REGISTRATION opens registration."),
    ),
    "csrf_failed": ProblemKind(
        403,
        _("The form could not be checked"),
        _("The form's protection against forged requests did not match."),
        _("Reload the page, allow cookies for this site and send the form again."),
    ),
    # --- 404 to 415: the request does not fit what is there -----------------------------------------------------------
    "not_found": ProblemKind(
        404,
        _("Nothing here"),
        _("There is no such route or object, or it is not yours."),
        _("Check path and id. Notifications are seen only by the client and mode that submitted them."),
    ),
    "method_not_allowed": ProblemKind(
        405,
        _("This method is not offered here"),
        _("This route does not answer to this method."),
        _("Use one of the methods in the Allow header."),
    ),
    "not_acceptable": ProblemKind(
        406,
        _("Only JSON is produced"),
        _("The Accept header allows no media type we produce."),
        _("Accept application/json, or send no Accept header."),
    ),
    "conflict": ProblemKind(
        409,
        _("The value is taken"),
        _("Another object already has a value that must be unique."),
        _("Choose another value, or change the object in existing_id."),
    ),
    "not_cancellable": ProblemKind(
        409,
        _("It cannot be cancelled any more"),
        _("Only a notification that has not been handed over can be cancelled."),
        _("See status_now; nothing needs to be done when it is final."),
    ),
    "not_resendable": ProblemKind(
        409,
        _("It cannot be sent again"),
        _("Its status does not allow another sending."),
        _("See status_now; wait until it is final, or submit a new notification."),
    ),
    "content_purged": ProblemKind(
        409,
        _("The content is no longer kept"),
        _("Variables and content were deleted at the end of their retention time."),
        _("Submit a new notification with its variables."),
    ),
    "draft_exists": ProblemKind(
        409,
        _("There is a draft already"),
        _("A template has at most one draft."),
        _("Change, publish or delete the draft."),
    ),
    "version_not_draft": ProblemKind(
        409,
        _("Published versions never change"),
        _("This version is not a draft."),
        _("Make a new draft from it and publish that."),
    ),
    "code_locked": ProblemKind(
        409,
        _("The code is in use"),
        _("A template's code cannot change once something was sent with it."),
        _("Make a new template with the other code."),
    ),
    "precondition_failed": ProblemKind(
        412,
        _("It was changed in between"),
        _("If-Match is stale: the object has changed since it was read."),
        _("Read it again, apply the change to what you find, and send the ETag of that."),
    ),
    "payload_too_large": ProblemKind(
        413,
        _("The body is too large"),
        _("The body exceeds the limit of this route."),
        _("Send less at once: split batches, and link to pictures rather than embedding them."),
    ),
    "unsupported_media_type": ProblemKind(
        415,
        _("The body is of another type than this route reads"),
        _("The body is not declared as JSON, or is encoded; of an upload it is a form."),
        _("Send Content-Type: application/json, for an upload the file's own; and no Content-Encoding."),
    ),
    # --- 422: understood, but it cannot be done -----------------------------------------------------------------------
    "idempotency_key_reused": ProblemKind(
        422,
        _("The request id belongs to another request"),
        _("This request_id was used for a different request."),
        _("Use a new id for a new request; notification_id is what the first one made."),
    ),
    "user_not_found": ProblemKind(
        422,
        _("No such user"),
        _("user_id names nobody."),
        _("Create the user first, or correct user_id: it is our id or the user's external id."),
    ),
    "template_not_found": ProblemKind(
        422,
        _("No such template"),
        _("template_code names no template."),
        _("Check the code in the admin or at /api/v1/templates/."),
    ),
    "template_not_published": ProblemKind(
        422,
        _("The template was never published"),
        _("The template has no published version."),
        _("Publish its draft."),
    ),
    "template_archived": ProblemKind(
        422,
        _("The template is archived"),
        _("Nothing can be sent with an archived template."),
        _("Use another template, or take this one out of the archive."),
    ),
    "template_version_not_found": ProblemKind(
        422,
        _("No such version"),
        _("template_version names no published version of this template."),
        _("Leave template_version out for the current one, or name a published one."),
    ),
    "channel_not_in_template": ProblemKind(
        422,
        _("The template has no words for this channel"),
        _("The version has no content for this notification_type."),
        _("Choose another notification_type, or publish a version with content for this channel."),
    ),
    "variables_invalid": ProblemKind(
        422,
        _("The variables do not fit the template"),
        _("Variables are missing or have the wrong type."),
        _("Add or correct the variables in errors, or pin an older version with template_version."),
    ),
    "template_error": ProblemKind(
        422,
        _("The content cannot be rendered"),
        _("The template's content has an error."),
        _("Correct the lines in errors."),
    ),
    "publish_blocked": ProblemKind(
        422,
        _("The draft cannot be published"),
        _("The draft has findings that block publishing."),
        _("Correct what findings names, then publish again."),
    ),
    "category_locked": ProblemKind(
        422,
        _("This category cannot be switched off"),
        _("Messages of a mandatory category are always sent."),
        _("Leave it on; other categories can be switched off."),
    ),
    "callback_url_refused": ProblemKind(
        422,
        _("This callback address is not allowed"),
        _("Callbacks are not sent to this address."),
        _("Use a public https address."),
    ),
    "batch_rejected": ProblemKind(
        422,
        _("No item was accepted"),
        _("Every item of the batch was rejected."),
        _("See the problem of each item in results."),
    ),
    # --- 429 and 5xx: not now -----------------------------------------------------------------------------------------
    "rate_limited": ProblemKind(
        429,
        _("Too many requests"),
        _("The limit for this kind of request is used up."),
        _("Wait as many seconds as Retry-After says; RateLimit tells how much is left."),
    ),
    "backlog_full": ProblemKind(
        429,
        _("Too many are waiting"),
        _("Too many notifications of low priority are waiting."),
        _("Try again after Retry-After; priority 7 and above is still taken."),
    ),
    "internal_error": ProblemKind(
        500,
        _("Our fault"),
        _("Something went wrong on our side; it has been noted."),
        _("Repeat it. If it stays, tell the operators the request_id of this answer."),
    ),
    "unavailable": ProblemKind(
        503,
        _("Not available at the moment"),
        _("The database does not answer."),
        _("Repeat after Retry-After, with the same request_id: what was stored after all is then found, not doubled."),
    ),
}
