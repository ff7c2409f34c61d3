"""What use cases refuse has a translation for clients."""

import uuid

import pytest

from gateway import attachments, callback_endpoints, decision, idempotency, submission
from gateway.callback_endpoints import TooManyEndpoints
from gateway.decision import VariablesInvalid
from gateway.idempotency import RequestIdReused
from gateway.outbound_http import AddressMalformed
from gateway.refusals import TRANSLATIONS, as_problems
from gateway.submission import MomentsRefused
from templates_app import selection
from templates_app.variables import VariableFinding
from users.problems import Problem

#: An exception of each kind, as its use case would raise it.
MADE = {
    VariablesInvalid: lambda: VariablesInvalid(
        [VariableFinding("/variables/name", "variable_missing", "This variable is required.")], template="t", version=3
    ),
    MomentsRefused: lambda: MomentsRefused([("send_at", "in_the_past", "This moment is in the past.")]),
    attachments.AttachmentsRefused: lambda: attachments.AttachmentsRefused(
        [("/attachments/0", "unknown", "There is no such file.")]
    ),
    RequestIdReused: lambda: RequestIdReused(uuid.UUID(int=7)),
    TooManyEndpoints: TooManyEndpoints,
    AddressMalformed: lambda: AddressMalformed("This is no address."),
}


def own_exceptions(module):
    """Those a module defines, without the bases that only gather others."""
    found = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Exception)]
    return {each for each in found if each.__module__ == module.__name__ and not each.__subclasses__()}


@pytest.mark.parametrize("module", [attachments, callback_endpoints, decision, idempotency, submission, selection])
def test_every_refusal_of_a_use_case_has_a_translation(module):
    assert own_exceptions(module)
    assert own_exceptions(module) <= TRANSLATIONS.keys()


@pytest.mark.parametrize("kind", TRANSLATIONS, ids=lambda kind: kind.__name__)
def test_every_translation_makes_a_problem(kind):
    error = MADE.get(kind, lambda: kind("the-name"))()

    with pytest.raises(Problem) as caught, as_problems():
        raise error

    assert caught.value.kind.status in (400, 422)
    assert caught.value.__cause__ is error
    assert kind in MADE or "the-name" in caught.value.detail


def problem_of(error):
    with pytest.raises(Problem) as caught, as_problems():
        raise error
    return caught.value


def test_missing_variables_are_named_in_the_sentence():
    problem = problem_of(MADE[VariablesInvalid]())

    assert problem.detail == "The template t version 3 needs name."
    assert [each.pointer for each in problem.errors] == ["/variables/name"]


def test_without_missing_ones_the_sentence_is_the_usual_one():
    wrong = VariableFinding("/variables/name", "variable_type", "This variable must be text.")
    problem = problem_of(VariablesInvalid([wrong], template="t", version=3))

    assert problem.detail == problem.kind.meaning
    assert [each.code for each in problem.errors] == ["variable_type"]


def test_moments_become_pointers():
    assert [each.pointer for each in problem_of(MADE[MomentsRefused]()).errors] == ["/send_at"]


def test_whose_the_request_id_is():
    assert problem_of(MADE[RequestIdReused]()).members == {"notification_id": uuid.UUID(int=7)}


def test_anything_else_stays_what_it_is():
    with pytest.raises(ZeroDivisionError), as_problems():
        raise ZeroDivisionError


def test_success_passes():
    with as_problems():
        pass
