"""The explorer in a real browser, with every other origin cut off."""

import json
import shlex

import httpx
import pytest
from playwright.sync_api import Browser, expect

from app.api.explorer import ExplorerConfig
from tests.explorer.conftest import Explorer, opened
from tests.explorer.site import ACCOUNTS, TABS, small_site

OWNER, VIEWER, OTHER = ACCOUNTS
WHO_AM_I, MY_SEATS, PREVIEW = range(3)


def test_every_default_tab_runs_and_shows_data(explorer: Explorer) -> None:
    """Each stored operation opens as a tab with variables valid for the demo account, and answers."""
    tabs = explorer.site.config.tabs
    expect(explorer.page.get_by_role("tab")).to_have_count(len(tabs))
    for index, tab in enumerate(tabs):
        answer = explorer.tab(index).run()
        assert "errors" not in answer, f"{tab.title}: {answer}"
        assert answer["data"], tab.title
        expect(explorer.response).to_contain_text('"data"')


def test_the_pane_of_stored_operations_brings_a_closed_tab_back(explorer: Explorer) -> None:
    """Each stored operation is listed by what it shows; a click opens it again for the chosen account."""
    title = TABS[MY_SEATS].title
    explorer.tab(MY_SEATS).page.locator(".graphiql-tab-close").nth(MY_SEATS).click()
    expect(explorer.page.get_by_role("tab")).to_have_count(len(TABS) - 1)

    explorer.choose(OTHER).page.get_by_role("button", name=title).click()
    expect(explorer.page.get_by_role("tab")).to_have_count(len(TABS))
    expect(explorer.show("Variables")).to_contain_text("sub_globex")
    assert len(explorer.run()["data"]["seats"]) == 2

    explorer.tab(WHO_AM_I).page.get_by_role("button", name=title).click()
    expect(explorer.page.get_by_role("tab")).to_have_count(len(TABS))
    expect(explorer.page.get_by_role("button", name=title)).to_have_attribute("aria-current", "true")


def test_docs_history_and_explorer_panes_open(explorer: Explorer) -> None:
    """The docs list the schema with its descriptions, the history what was run, the explorer the fields."""
    explorer.run()
    explorer.page.get_by_label("Show Documentation Explorer").click()
    explorer.page.get_by_role("link", name="Query", exact=True).click()
    expect(explorer.page.get_by_text("Everything a customer can read.")).to_be_visible()
    explorer.page.get_by_label("Show History").click()
    expect(explorer.page.get_by_role("button", name="WhoAmI").first).to_be_visible()
    explorer.page.get_by_label("Show GraphiQL Explorer").click()
    expect(explorer.page.locator(".graphiql-explorer-root").get_by_text("viewer")).to_be_visible()


def test_the_account_picker_signs_in_as_the_chosen_account(explorer: Explorer) -> None:
    """Customer and role change the token of every tab, and variables become those of the chosen customer."""
    assert explorer.run()["data"]["viewer"] == {"name": "Acme", "role": "Owner"}
    assert explorer.choose(VIEWER).run()["data"]["viewer"] == {"name": "Acme", "role": "Viewer"}
    assert explorer.choose(OTHER).run()["data"]["viewer"] == {"name": "Globex", "role": "Owner"}
    assert len(explorer.tab(MY_SEATS).run()["data"]["seats"]) == 2
    assert set(explorer.site.tokens_seen[-1:]) == {OTHER.token}
    expect(explorer.show("Headers")).to_contain_text(OTHER.token)


def test_a_new_tab_is_signed_in_as_the_chosen_account(explorer: Explorer) -> None:
    """The picker rules tabs that are opened later, too."""
    explorer.choose(VIEWER).page.get_by_label("New tab").click()
    expect(explorer.show("Headers")).to_contain_text(VIEWER.token)


def test_what_was_typed_by_hand_survives_the_picker(explorer: Explorer) -> None:
    """Edited variables and a header of one's own are not overwritten when the account changes."""
    explorer.tab(PREVIEW).write("Variables", '{"input": {"add": 7}}')
    explorer.write("Headers", '{"Authorization": "Bearer my-own"}')
    explorer.choose(VIEWER)
    expect(explorer.show("Headers")).to_contain_text("my-own")
    expect(explorer.show("Variables")).to_contain_text("7")


def test_no_token_is_kept_and_each_load_of_a_demo_is_fresh(explorer: Explorer) -> None:
    """After use, nothing the browser stores holds a token; a reload shows the first variables."""
    explorer.run()
    explorer.tab(PREVIEW).write("Variables", '{"input": {"add": 7}}')
    explorer.choose(VIEWER).run()
    explorer.page.get_by_label("Show History").click()
    explorer.page.wait_for_timeout(700)  # GraphiQL stores half a second after the last change.

    kept = explorer.kept()
    assert "PreviewChangePlan" in kept, "the history is kept"
    assert [account.token for account in ACCOUNTS if account.token in kept] == []

    explorer.open().tab(PREVIEW)
    expect(explorer.show("Variables")).to_contain_text("5")
    assert [account.token for account in ACCOUNTS if account.token in explorer.kept()] == []


def test_an_operation_of_the_history_runs_after_a_reload(explorer: Explorer) -> None:
    """Headers are not kept with the history; an entry taken back is signed in as the chosen account."""
    explorer.run()
    explorer.open().tab(MY_SEATS).choose(VIEWER)
    explorer.page.get_by_label("Show History").click()
    explorer.page.get_by_role("button", name="WhoAmI").first.click()
    assert explorer.run()["data"]["viewer"]["role"] == "Viewer"


def test_copy_as_curl_is_the_same_request(explorer: Explorer) -> None:
    """The copied command, read as a shell reads it, asks the same with the same token; quotes survive."""
    shown = explorer.tab(PREVIEW).run()
    explorer.page.get_by_role("button", name="Copy as curl").click()
    expect(explorer.page.get_by_role("button", name="Copied")).to_be_visible()

    command = shlex.split(explorer.page.evaluate("navigator.clipboard.readText()"))
    headers = [command[index + 1].split(": ", 1) for index, word in enumerate(command) if word == "-H"]
    body = command[command.index("--data-raw") + 1]
    answer = httpx.post(command[1], headers=dict(headers), content=body)

    assert command[0] == "curl"
    assert 'It\'s "just" a preview' in json.loads(body)["query"]
    assert dict(headers)["Authorization"] == f"Bearer {OWNER.token}"
    assert answer.json() == shown


def test_outside_a_demo_no_token_is_given_and_tabs_are_kept_without_headers(browser: Browser) -> None:
    """Without accounts there is no picker; a typed token works; a reload keeps the work, not the token."""
    with small_site(ExplorerConfig(TABS)) as site, opened(browser, site) as explorer:
        assert explorer.page.get_by_label("Customer").count() == 0
        assert explorer.run() == {"errors": [{"message": "Sign in first."}]}
        explorer.write("Headers", json.dumps({"Authorization": f"Bearer {OWNER.token}"}))
        assert explorer.run()["data"]["viewer"]["name"] == "Acme"
        explorer.tab(PREVIEW).write("Variables", '{"input": {"add": 7}}')
        explorer.page.wait_for_timeout(700)  # As above.

        explorer.open()
        expect(explorer.page.get_by_role("tab")).to_have_count(len(TABS))
        expect(explorer.show("Variables")).to_contain_text("7")
        assert OWNER.token not in explorer.kept()
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
