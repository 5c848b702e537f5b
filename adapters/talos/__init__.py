"""The Talos API: result types and the adapter on talosctl and talhelper."""
