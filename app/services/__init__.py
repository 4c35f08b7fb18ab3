"""The verbs of Seatport, one file each: ask permission, load, decide, save; one transaction, sync functions
of `tx`.

    Members    preview_change_plan  change_plan  cancel_scheduled_change  cancel_subscription
               resume_subscription  assign_seat  release_seat  enter_portal  leave_portal  ask_for_link
    Vendors    apply_catalog  register_customer  start_subscription  pause_subscription  record_seats
               record_batch  report_committed  record_override  record_payment  open_portal  move_clock
    Seatport   bring_up  bill  render_document  collect_payment  collect_invoice  upcoming_invoice

`confirming` is what lies behind every button that moves money, with its preview; `postings` writes what was
decided, whoever decided it; `quotes` makes tokens that bind.
"""
