"""What the page does on an event: plain functions of the workbench, the visit, its language and the widgets' values.

They answer with {name of a widget: new value or update}; `page.wiring` maps the names. Whatever arrives is checked
here or in `order`: any visitor can send any payload to any event.
"""
