"""The API of sign-in. Views check, call one use case, answer."""

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from users import answers, people, refusals, sign_in
from users.api_view import ApiView
from users.authentication import person_calling
from users.openapi import problems
from users.permissions import PERSON
from users.problems import Problem
from users.querysets import normalise_email
from users.serializers import (
    LoginSerializer,
    PasswordSerializer,
    RefreshSerializer,
    RegisterSerializer,
    SignedInSerializer,
    TokensSerializer,
)
from users.throttling import count_account

ERRORS = problems(400, 401, 406, 413, 415, 429, 503)


class RegistrationIsOpen(AllowAny):
    """Nobody needs credentials, but the installation must allow it."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Raises `Problem` when it does not."""
        if not settings.SELF_REGISTRATION:
            raise Problem("registration_closed")
        return True


class RegisterView(ApiView):
    """Become a person of this installation."""

    permission_classes = (RegistrationIsOpen,)
    rate_policies = {"POST": "register"}

    @extend_schema(
        operation_id="register",
        summary="Register",
        request=RegisterSerializer,
        responses={201: SignedInSerializer, **ERRORS, **problems(403, 409)},
    )
    def post(self, request: Request) -> Response:
        """Signs them in at once."""
        asked = RegisterSerializer().run_validation(request.data)
        password = asked.pop("password")
        with refusals.as_problems():
            person = people.create_person(fields=asked, password=password)
        answer = answers.signed_in_answer(person, sign_in.open_sign_in(person))
        return Response(answer, status=201, headers={"Location": answer["user"]["links"]["self"]})


class LoginView(ApiView):
    """Sign in."""

    permission_classes = (AllowAny,)
    rate_policies = {"POST": "login"}

    @extend_schema(
        operation_id="login",
        summary="Sign in",
        request=LoginSerializer,
        responses={200: SignedInSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Answers the same for accounts known and unknown."""
        asked = LoginSerializer().run_validation(request.data)
        account = (normalise_email(asked["email"]) or "").lower()
        count_account(request, self, account=f"address:{account}")
        with refusals.as_problems():
            person, pair = sign_in.sign_in(email=account, password=asked["password"])
        return Response(answers.signed_in_answer(person, pair))


class RefreshView(ApiView):
    """Exchange a refresh token."""

    permission_classes = (AllowAny,)
    rate_policies = {"POST": "login"}

    @extend_schema(
        operation_id="refresh_tokens",
        summary="New tokens for a refresh token, which is used up",
        request=RefreshSerializer,
        responses={200: TokensSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """A token used twice ends its sign-in."""
        asked = RefreshSerializer().run_validation(request.data)
        with refusals.as_problems():
            pair = sign_in.refresh(token=asked["refresh"])
        return Response(answers.tokens_answer(pair))


class LogoutView(ApiView):
    """Sign out."""

    takes_ended_tokens = True
    required_scopes = {"POST": PERSON}

    @extend_schema(
        operation_id="logout",
        summary="End a sign-in and all tokens that descend from it",
        request=RefreshSerializer,
        responses={204: OpenApiResponse(description="Also when it had ended already."), **ERRORS, **problems(403)},
    )
    def post(self, request: Request) -> Response:
        """Repeatable."""
        asked = RefreshSerializer().run_validation(request.data)
        person = person_calling(request)
        with refusals.as_problems():
            sign_in.sign_out(person=person, token=asked["refresh"])
        return Response(status=204)


class PasswordView(ApiView):
    """Choose another password."""

    required_scopes = {"POST": PERSON}
    rate_policies = {"POST": "login"}

    @extend_schema(
        operation_id="change_password",
        summary="Another password; every token of the account ends",
        request=PasswordSerializer,
        responses={204: None, **ERRORS, **problems(403)},
    )
    def post(self, request: Request) -> Response:
        """Tries are counted apart from those at signing in: strangers cannot use up the owner's."""
        person = person_calling(request)
        asked = PasswordSerializer(context={"person": person}).run_validation(request.data)
        count_account(request, self, account=f"person:{person.pk}")
        with refusals.as_problems():
            sign_in.change_password(person=person, current=asked["current_password"], new=asked["new_password"])
        return Response(status=204)
