"""The physical test: pictures of people who wear a printed mask, judged alongside a plain mask and bare.

`judge_folder` does it all: `condition_folders` says what is there, `looking` detects faces,
`embedded_pictures` embeds them, `template_scores` compares them with their own person, `rates` and
`persistence` sum up. `protocol_page` is the page that tells which pictures to take.
"""
