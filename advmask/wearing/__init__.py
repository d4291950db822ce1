"""Where photos and masks meet: masks laid on photos, what recognizers then see, people enrolled masked."""
