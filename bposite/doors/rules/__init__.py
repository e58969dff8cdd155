"""Pure rules of doors: who may pass where and when, what a device's numbers and clocks prove, where people are."""
