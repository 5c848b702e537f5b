"""TLS Secrets that cert-manager made, kept beside the settings so that a rebuilt cluster orders none anew."""
