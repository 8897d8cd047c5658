"""Every sentence of the page, in the languages it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "ko"]
LANGUAGES: dict[Language, str] = {"en": "English", "ko": "한국어"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """``{name}`` is filled in by :meth:`str.format`."""

    title: str
    subtitle: str
    # Asking
    mode: str
    mode_chat: str
    mode_boxes: str
    mode_points: str
    ask_chat: str
    ask_boxes: str
    ask_points: str
    camera: str
    take_photo: str
    use_photo: str
    samples: str
    use_sample: str
    attached: str
    attached_several: str
    remove: str
    no_picture: str
    # Nothing asked yet
    welcome: str
    hint: str
    try_describe: str
    try_boxes: str
    try_points: str
    try_what: str
    try_points_what: str
    # An answer
    find_boxes: str
    find_points: str
    thinking: str
    stop: str
    stopped: str
    again: str
    cut: str
    cut_places: str
    found: str
    found_in_part: str
    found_nothing: str
    found_unreadable: str
    left_out: str
    overlay: str
    column_label: str
    column_place: str
    raw_answer: str
    download_png: str
    download_json: str
    download_coco: str
    # What happens to a request
    log: str
    log_running: str
    log_picture: str
    log_sent: str
    log_waiting: str
    log_accepted: str
    log_request_id: str
    log_hop: str
    log_first: str
    log_finished: str
    log_tokens: str
    log_speed: str
    log_stopped: str
    # Failures
    trouble: str
    trouble_key: str
    trouble_busy: str
    trouble_home: str
    trouble_waking: str
    trouble_refused: str
    trouble_model: str
    trouble_large: str
    # The path
    health: str
    health_ok: str
    health_bad: str
    health_looking: str
    health_door: str
    health_key: str
    health_home: str
    health_serves: str
    health_unlisted: str
    health_at: str
    health_look: str
    health_resting: str
    door_down: str
    door_odd: str
    door_not_started: str
    key_refused: str
    home_down: str
    home_refuses: str
    model_down: str
    # Settings and history
    settings: str
    language: str
    served_model: str
    coord_space: str
    coord_pixels: str
    coord_thousandths: str
    coord_space_help: str
    temperature: str
    temperature_help: str
    max_tokens: str
    max_tokens_help: str
    system_prompt: str
    system_prompt_help: str
    history: str
    new: str
    export: str
    import_: str
    import_failed: str
    # The door of a shared link
    password: str
    password_ask: str
    password_enter: str
    password_wrong: str
    # Not set up
    not_set_up: str
    not_set_up_help: str
