"""The explorer in a real browser, over the real application, with every other origin cut off."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from app.api.explorer import DemoAccount
from tests.explorer.conftest import Explorer, opened, wrapped
from tests.explorer.site import Site, served

ROLES = ("OWNER", "BILLING_ADMIN", "SEAT_MANAGER", "VIEWER")
OWNER, SEAT_MANAGER = ("acme", "OWNER"), ("acme", "SEAT_MANAGER")
OTHER = ("globex", "OWNER")


def test_every_default_tab_runs_and_shows_data(explorer: Explorer) -> None:
    """Each stored operation opens as a tab with variables valid for acme's owner, and answers. The change
    costs exactly what its preview showed, and its invoice has a PDF.
    """
    operations = explorer.site.operations
    expect(explorer.page.get_by_role("tab")).to_have_count(len(operations))
    told: dict[str, Any] = {}
    for operation in operations:
        answer = explorer.tab(operation).run()
        assert "errors" not in answer, f"{operation}: {answer}"
        assert None not in answer["data"].values(), operation
        told |= {operation: answer["data"].get(operation, answer["data"])}

    assert told["previewChangePlan"]["__typename"] == "ChangeQuote"
    assert told["changePlan"]["__typename"] == "PlanChanged"
    assert told["cancelScheduledChange"]["__typename"] == "NotFound", "no change of acme waits"
    invoice = told["changePlan"]["invoice"]
    assert invoice["totals"]["total"] == told["previewChangePlan"]["dueNow"]["total"]
    assert told["invoices"]["customer"]["invoices"]["edges"][0]["node"]["number"] == invoice["number"]
    assert httpx.get(invoice["pdf"]["url"], timeout=30).content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("customer", "cancelled"), [("globex", "NotFound"), ("initech", "ScheduledChangeCancelled")]
)
def test_every_tab_is_useful_for_the_other_customers(demo_site: Site, customer: str, cancelled: str) -> None:
    """They have data in each tab, too; for what one does not have, the variables say so in words."""
    account = demo_site.account(customer, "OWNER")
    cancel = demo_site.ask(account, "cancelScheduledChange")["data"]["cancelScheduledChange"]
    assert cancel["__typename"] == cancelled
    waiting = demo_site.variables(account, "cancelScheduledChange")["input"]["scheduledChangeId"]
    assert ("none waits" in waiting) is (cancelled == "NotFound")

    # What was cancelled makes earlier quotes outdated, so the page is loaded anew.
    site = demo_site.again()
    account = site.account(customer, "OWNER")
    told = {operation: site.ask(account, operation) for operation in site.operations}
    assert [operation for operation, answer in told.items() if "errors" in answer] == []
    empty = [operation for operation, answer in told.items() if None in answer["data"].values()]
    assert empty == ["creditNote"]
    assert "none yet" in site.variables(account, "creditNote")["id"]
    assert told["changePlan"]["data"]["changePlan"]["invoice"]["pdf"]["url"].startswith(site.url)


def test_each_role_sees_what_it_may(demo_site: Site) -> None:
    """What a role may do by its permissions is done or shown in the tabs; the rest is refused or null."""
    seen = {role: permitted(demo_site, demo_site.account("initech", role)) for role in ROLES}
    previews = {"previewChangePlan", "previewCancelSubscription", "previewResumeSubscription"}
    seats = {"assignSeat", "releaseSeat"}
    deeds = {"changePlan", "cancelScheduledChange", "cancelSubscription", "resumeSubscription"}
    everything = previews | seats | deeds | {"seeMoney"}
    assert seen == {
        "OWNER": everything,
        "BILLING_ADMIN": everything,
        "SEAT_MANAGER": previews | seats,
        "VIEWER": {"seeMoney"},
    }


def permitted(site: Site, account: DemoAccount) -> set[str]:
    """What an account may do, as `viewer` says and as the tabs show."""
    operations = (
        "previewChangePlan", "changePlan", "cancelScheduledChange", "previewCancelSubscription",
        "cancelSubscription", "previewResumeSubscription", "resumeSubscription", "assignSeat", "releaseSeat",
    )  # fmt: skip
    answers = {operation: site.ask(account, operation)["data"][operation] for operation in operations}
    shown = {operation for operation, answer in answers.items() if answer["__typename"] != "NotPermitted"}
    customer = {"invoices", "creditNotes", "upcomingInvoice", "billingDetails"}
    money = {operation: site.ask(account, operation)["data"]["customer"][operation] for operation in customer}
    money |= {"invoice": site.ask(account, "invoice")["data"]["invoice"]}
    assert len({answer is None for answer in money.values()}) == 1, "all of the money is shown, or none of it"
    shown |= set() if None in money.values() else {"seeMoney"}

    permissions = site.ask(account, "viewer")["data"]["viewer"]["permissions"]
    assert shown == {name for name, permission in permissions.items() if permission["allowed"]}
    return shown


def test_the_pane_of_stored_operations_brings_a_closed_tab_back(explorer: Explorer) -> None:
    """Each stored operation is listed by what it shows; a click opens it again for the chosen account."""
    count = len(explorer.site.operations)
    title = explorer.site.operations["seatHistory"].title
    explorer.tab("seatHistory").page.locator(".graphiql-tab-active .graphiql-tab-close").click()
    expect(explorer.page.get_by_role("tab")).to_have_count(count - 1)

    explorer.choose(OTHER).page.get_by_role("button", name=title).click()
    expect(explorer.page.get_by_role("tab")).to_have_count(count)
    expect(explorer.show("Variables")).to_contain_text('"full"')
    assert len(explorer.run()["data"]["customer"]["seatHistory"]) == 30

    explorer.tab("viewer").page.get_by_role("button", name=title).click()
    expect(explorer.page.get_by_role("tab")).to_have_count(count)
    expect(explorer.page.get_by_role("button", name=title)).to_have_attribute("aria-current", "true")


def test_docs_history_and_explorer_panes_open(explorer: Explorer) -> None:
    """The docs list the schema with its descriptions, the history what was run, the explorer the fields."""
    explorer.run()
    explorer.page.get_by_label("Show Documentation Explorer").click()
    docs = explorer.page.locator(".graphiql-doc-explorer")
    expect(docs).to_contain_text("The billing page of a product that is sold by the seat")
    docs.get_by_role("link", name="Query", exact=True).click()
    expect(docs).to_contain_text(description(explorer.site, "Query"))
    docs.get_by_role("combobox").fill("ChangeQuote")
    docs.get_by_role("option", name="ChangeQuote", exact=True).click()
    expect(docs).to_contain_text(description(explorer.site, "ChangeQuote"))

    explorer.page.get_by_label("Show History").click()
    expect(explorer.page.get_by_role("button", name="viewer").first).to_be_visible()
    explorer.page.get_by_label("Show GraphiQL Explorer").click()
    expect(explorer.page.locator(".graphiql-explorer-root").get_by_text("viewer").first).to_be_visible()


def description(site: Site, name: str) -> str:
    """What the schema says of a type."""
    query = "query ($name: String!) { __type(name: $name) { description } }"
    answer = site.post(site.account(*OWNER), {"query": query, "variables": {"name": name}})
    text: str = answer["data"]["__type"]["description"]
    assert len(text) > len("A change, priced.")
    return text


def test_no_editor_draws_boxes_around_our_signs(explorer: Explorer) -> None:
    """×, − and spaces that do not break are no mistakes, neither in answers nor in what one writes."""
    explorer.choose(OTHER).tab("previewChangePlan").run()
    expect(explorer.response).to_contain_text("×")
    options = """() => __MONACO.editor.getEditors().map((editor) =>
      editor.getOption(__MONACO.editor.EditorOption.unicodeHighlighting))"""
    found = explorer.page.evaluate(options)
    assert [each["ambiguousCharacters"] for each in found] == [False] * 4
    assert all({"\u00a0", "\u202f"} <= each["allowedCharacters"].keys() for each in found)
    explorer.page.wait_for_timeout(500)  # Monaco looks a quarter of a second after the last change.
    assert explorer.page.locator(".unicode-highlight").count() == 0


def test_the_link_of_a_pdf_opens_it(explorer: Explorer) -> None:
    """The editor makes a link of it; the browser gets the document, by the signature in the link alone."""
    explorer.tab("invoice").run()
    explorer.response.click(position={"x": 5, "y": 5})
    explorer.page.keyboard.press("ControlOrMeta+End")
    explorer.response.locator(".detected-link", has_text=".pdf").first.hover()
    with explorer.page.context.expect_event("request", lambda asked: "/documents/inv_" in asked.url) as asked:
        explorer.page.get_by_text("Follow link").click()
    answer = httpx.get(asked.value.url, timeout=30)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


def test_the_account_picker_signs_in_as_the_chosen_account(explorer: Explorer) -> None:
    """Customer and role change the token of every tab, and variables become those of the chosen customer."""
    assert explorer.run()["data"]["viewer"]["role"] == "OWNER"
    assert explorer.choose(SEAT_MANAGER).run()["data"]["viewer"]["role"] == "SEAT_MANAGER"
    answer = explorer.choose(OTHER).run()
    assert answer["data"]["viewer"]["role"] == "OWNER"
    assert answer["data"]["viewer"]["email"].endswith("@globex.example.com")
    assert explorer.tab("invoice").run()["data"]["invoice"]["buyer"]["name"] == "Globex Gestaltung GmbH"
    expect(explorer.show("Headers")).to_contain_text(wrapped(explorer.site.account(*OTHER).token))


def test_a_new_tab_is_signed_in_as_the_chosen_account(explorer: Explorer) -> None:
    """The picker rules tabs that are opened later, too."""
    explorer.choose(SEAT_MANAGER).page.get_by_label("New tab").click()
    expect(explorer.show("Headers")).to_contain_text(wrapped(explorer.site.account(*SEAT_MANAGER).token))


def test_what_was_typed_by_hand_survives_the_picker(explorer: Explorer) -> None:
    """Edited variables and a header of one's own are not overwritten when the account changes."""
    explorer.tab("seatHolders").write("Variables", '{"first": 7}')
    explorer.write("Headers", '{"Authorization": "Bearer my-own"}')
    explorer.choose(SEAT_MANAGER)
    expect(explorer.show("Headers")).to_contain_text("my-own")
    expect(explorer.show("Variables")).to_contain_text("7")


def test_no_token_is_kept_and_each_load_of_a_demo_is_fresh(explorer: Explorer) -> None:
    """After use, nothing the browser stores holds a token; a reload shows the first variables."""
    tokens = [account.token for account in explorer.site.config.accounts]
    explorer.run()
    explorer.tab("seatHolders").write("Variables", '{"first": 7}')
    explorer.choose(SEAT_MANAGER).run()
    explorer.page.get_by_label("Show History").click()
    explorer.page.wait_for_timeout(700)  # GraphiQL stores half a second after the last change.

    kept = explorer.kept()
    assert "seatHolders" in kept, "the history is kept"
    assert len(tokens) == 12
    assert [token for token in tokens if token in kept] == []

    explorer.open().tab("seatHolders")
    expect(explorer.show("Variables")).to_contain_text("20")
    assert [token for token in tokens if token in explorer.kept()] == []


def test_an_operation_of_the_history_runs_after_a_reload(explorer: Explorer) -> None:
    """Headers are not kept with the history; an entry taken back is signed in as the chosen account."""
    explorer.run()
    explorer.open().tab("seatBalances").choose(SEAT_MANAGER)
    explorer.page.get_by_label("Show History").click()
    explorer.page.get_by_role("button", name="viewer").first.click()
    assert explorer.run()["data"]["viewer"]["role"] == "SEAT_MANAGER"


def test_copy_as_curl_is_the_same_request(explorer: Explorer) -> None:
    """The copied command, read as a shell reads it, asks the same with the same token; quotes survive."""
    search = 'It\'s "Abbott" $HOME'
    explorer.tab("seatHolders").write("Variables", json.dumps({"search": search}))
    shown = explorer.run()
    explorer.page.get_by_role("button", name="Copy as curl").click()
    expect(explorer.page.get_by_role("button", name="Copied")).to_be_visible()

    command = shlex.split(explorer.page.evaluate("navigator.clipboard.readText()"))
    headers = dict(command[i + 1].split(": ", 1) for i, word in enumerate(command) if word == "-H")
    body = command[command.index("--data-raw") + 1]
    answer = httpx.post(command[1], headers=headers, content=body)

    assert command[0] == "curl"
    assert json.loads(body)["variables"]["search"] == search
    assert headers["Authorization"] == f"Bearer {explorer.site.account(*OWNER).token}"
    assert answer.json() == shown


def test_outside_a_demo_no_token_is_given_and_tabs_are_kept_without_headers(
    browser: Browser, demo_site: Site, demo_database: Path
) -> None:
    """Without accounts there is no picker; a typed token works; a reload keeps the work, not the token."""
    token = demo_site.account(*OWNER).token
    with (
        served(
            demo_database, SEATPORT_MODE="production", SEATPORT_EXPLORER="1", SEATPORT_DOCUMENTS="any"
        ) as site,
        opened(browser, site) as explorer,
    ):
        assert explorer.page.get_by_label("Customer").count() == 0
        assert site.config.accounts == ()
        assert re.search("sign|token", explorer.run()["errors"][0]["message"], re.IGNORECASE)
        explorer.write("Headers", json.dumps({"Authorization": f"Bearer {token}"}))
        assert explorer.run()["data"]["viewer"]["role"] == "OWNER"
        explorer.tab("seatHolders").write("Variables", '{"first": 7}')
        explorer.page.wait_for_timeout(700)  # As above.

        explorer.open()
        expect(explorer.page.get_by_role("tab")).to_have_count(len(site.operations))
        expect(explorer.show("Variables")).to_contain_text("7")
        assert token not in explorer.kept()
        assert (explorer.foreign, explorer.breaches()) == ([], [])


def test_the_guards_of_these_tests_see_what_they_forbid(explorer: Explorer) -> None:
    """An inline script, a foreign picture and a foreign page are stopped, and each of them is noticed."""
    explorer.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))"
    )
    explorer.page.evaluate("new Image().src = 'https://example.com/pixel.png'")
    explorer.page.wait_for_function("window.breaches.length === 2")
    with explorer.page.expect_popup() as popup:
        explorer.page.evaluate("window.open('https://example.com/')")
    popup.value.close()

    assert explorer.breaches() == ["script-src-elem inline", "img-src https://example.com/pixel.png"]
    assert explorer.foreign == ["https://example.com/"]
    assert len(explorer.complaints) >= 2
    with pytest.raises(AssertionError):
        explorer.expect_no_faults()
    explorer.foreign.clear()
    explorer.complaints.clear()
    explorer.page.evaluate("window.breaches = []")
