"""A TrueNAS: asks its own JSON-RPC over a websocket what stands under the data. Reads only, and judges nothing."""
