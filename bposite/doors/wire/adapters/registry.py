"""Every adapter by the name that a device's configuration gives: one line each."""

from collections.abc import Mapping

from bposite.doors.events import Delivery, DeviceConfig, Rejection, Translation
from bposite.doors.wire import native
from bposite.doors.wire.adapters import (
    axis,
    esp_rfid,
    esphome,
    frigate,
    hikvision,
    onvif,
    osdp,
    shelly,
    tasmota,
    uhppoted,
    zigbee2mqtt,
    zkteco,
)
from bposite.doors.wire.foreign import Translate

ADAPTERS: Mapping[str, Translate] = {
    "native": native.translate,
    "axis": axis.translate,
    "esp-rfid": esp_rfid.translate,
    "esphome": esphome.translate,
    "frigate": frigate.translate,
    "hikvision": hikvision.translate,
    "onvif-ej": onvif.translate,
    "osdp": osdp.translate,
    "pyzk": zkteco.translate_pyzk,
    "shelly": shelly.translate,
    "tasmota": tasmota.translate,
    "uhppote": uhppoted.translate_direct,
    "uhppoted-mqtt": uhppoted.translate,
    "zigbee2mqtt": zigbee2mqtt.translate,
    "zkteco": zkteco.translate,
}

COUNTING = frozenset({"native", "hikvision", "uhppote", "uhppoted-mqtt", "zkteco"})
"""Kinds that number their events, so that a lost one shows."""


def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message by the adapter of its device. Never raises."""
    adapter = ADAPTERS.get(config.adapter)
    if adapter is None:
        return Translation(rejections=(Rejection("unknown-device", "no such adapter", config.device),))
    return adapter(delivery, config)
