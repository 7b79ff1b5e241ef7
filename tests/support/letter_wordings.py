"""Ways in which people write what they mean in a request. They share nothing with the rules that
read letters: none is taken from their patterns."""

from __future__ import annotations

from datetime import date

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

TERMS = [
    "Zapchat",
    "pedalo",
    "blue van",
    "e-bike",
    "kite",
    "lock pick",
    "Fizzle",
    "tram stop",
    "doorbell camera",
]

CODES = {
    "8L": "harassment",
    "8N": "assault with injury",
    "34B": "robbery",
    "45": "theft from vehicle",
    "30C": "burglary",
    "56A": "arson",
    "92D": "possession of drugs",
}

#: One number.
TOTALS = [
    "How many crimes were recorded?",
    "The total number of offences.",
    "Please state the overall number of crimes.",
    "What was the number of recorded offences?",
    "A total for the whole period.",
    "How many such offences did you record?",
    "The number of crimes",
]

#: How a number is broken down, by the field.
BREAKDOWNS = {
    "month": [
        "The number of crimes by month.",
        "How many offences were there in each month?",
        "Please give the crimes month by month.",
        "A monthly breakdown of the offences.",
        "Number of offences per calendar month",
        "The offences, split by month",
    ],
    "quarter": [
        "The number of crimes by quarter.",
        "Please give quarterly totals of the offences.",
        "How many crimes were there in each quarter?",
    ],
    "outcome": [
        "The number of crimes by outcome.",
        "How many offences had each outcome?",
        "What was the outcome of these crimes? Please give numbers.",
        "A breakdown of the crimes by outcome type.",
    ],
    "offence": [
        "The number of crimes by offence.",
        "A breakdown by type of offence.",
        "How many crimes were there for each offence type?",
    ],
    "sex": [
        "The number of victims by sex.",
        "The gender of the victims, in numbers.",
        "How many of the victims were male and how many were female?",
    ],
    "month x outcome": [
        "The number of crimes by month and by outcome.",
        "For each month, the number of crimes by outcome.",
    ],
}

#: Parts that leave nothing open.
PLAIN_PARTS = {
    "": ["How many crimes were recorded?", "The total number of offences."],
    "month": ["The number of crimes by month.", "How many offences were there in each month?"],
    "quarter": [
        "The number of crimes by quarter.",
        "Please give quarterly totals of the offences.",
    ],
    "outcome": ["The number of crimes by outcome.", "A breakdown of the crimes by outcome type."],
    "sex": ["The number of victims by sex."],
    "month x outcome": ["The number of crimes by month and by outcome."],
}

BANDS = {
    "0-11 12-15 16-": [
        "The number of victims aged under 12, 12 to 15, and 16 or over.",
        "How old were the victims? Please use these age groups: 0-11, 12-15, 16+.",
    ],
    "0-17 18-64 65-": [
        "The number of victims by age (under 18, 18-64, 65 and over).",
        "The ages of victims in bands: 0 to 17, 18 to 64, 65 and above.",
    ],
}

EACH_TERM = [
    "The number of crimes for each of these words.",
    "For each word separately, how many crimes mention it?",
]

#: What no record says.
UNCOUNTED = [
    "How much did the force spend on dealing with these crimes?",
    "Copies of any guidance that is given to officers.",
    "How many officers worked on these cases?",
    "What training do call handlers have about this?",
    "The average distance between the scene and the victim's home.",
    "How many of the offenders were later sent to prison?",
    "How many of these crimes took place in the rain?",
    "How many of the victims had a dog?",
    "The registration of each vehicle that was involved.",
    "How long did officers take to arrive, on average?",
    "How many were committed by someone on bail?",
]

#: Records of some kind that foidex cannot tell from others.
LIMITED = [
    "The number of crimes that happened after dark.",
    "How many offences were committed in a school?",
    "How many crimes involved more than one offender?",
    "The number of offences where the victim knew the suspect.",
    "How many crimes were solved within a month, by outcome?",
    "The number of repeat victims, by sex.",
    "How many crimes happened on a Friday, by month?",
    "How many offences did not involve a weapon?",
    "The number of crimes within 100 metres of a school, by month.",
    "The number of crimes reported online.",
    "The number of attempted offences, by outcome.",
    "How many crimes involved a group of people?",
    "The number of crimes reported by a third party, by month.",
    "The number of crimes with no suspect, by month.",
    "How many crimes were committed by an employee of the force?",
    "The number of crimes in the town centre, by outcome.",
    "The number of crimes with at least two victims, by month.",
    "The number of historic offences, by outcome.",
    "The number of undetected crimes, by month.",
    "The number of crimes that are still under investigation, by month.",
    "All but the minor offences, by month.",
    "Half of the crimes, by month.",
]


#: What limits a whole request and is in no record.
UNREAD_LIMITS = [
    "that took place at night",
    "committed in schools",
    "reported by neighbours",
    "on trains and buses",
    "without a known suspect",
    "in the city of Eastwick",
    "by members of a gang",
    "in which a weapon was used",
    "that nobody has solved",
]


def write_day(day: date, style: int) -> str:
    """A day as people write it."""
    month = MONTHS[day.month - 1]
    return [
        f"{day.day} {month} {day.year}",
        f"{day:%d/%m/%Y}",
        f"{day.day}{'st' if day.day in (1, 31) else 'th'} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
    ][style]


def list_year_wordings(year: int) -> list[str]:
    """Ways to write a calendar year."""
    return [
        f"in {year}",
        f"during {year}",
        f"in the calendar year {year}",
        f"between 1 January {year} and 31 December {year}",
        f"from January to December {year}",
        f"from 01/01/{year} to 31/12/{year}",
        f"from 1st January {year} up to and including 31st December {year}",
        f"in the year {year}",
        f"throughout {year}",
        f"in the twelve months from January {year}",
        f"from the start of {year} to the end of {year}",
    ]


def list_financial_wordings(year: int) -> list[str]:
    """Ways to write the year that begins in April."""
    short = f"{(year + 1) % 100:02}"
    return [
        f"in {year}/{short}",
        f"in the financial year {year}-{short}",
        f"in FY {year}/{year + 1}",
        f"between 1 April {year} and 31 March {year + 1}",
        f"from April {year} to March {year + 1} inclusive",
        f"in the year ending 31 March {year + 1}",
        f"in the 12 months to March {year + 1}",
        f"for the period 1/4/{year} - 31/3/{year + 1}",
        f"from 1.4.{year} until 31.3.{year + 1}",
    ]


def list_span_wordings(first: date, last: date) -> list[str]:
    """Ways to write days from one to another, where both end months."""
    months = f"{MONTHS[first.month - 1]} {first.year}", f"{MONTHS[last.month - 1]} {last.year}"
    return [
        f"between {write_day(first, 0)} and {write_day(last, 0)}",
        f"from {write_day(first, 1)} to {write_day(last, 1)}",
        f"from {write_day(first, 2)} until {write_day(last, 2)}",
        f"from {months[0]} to {months[1]}",
        f"between {months[0]} and {months[1]} inclusive",
        f"from {months[0]} through to the end of {months[1]}",
        f"for crimes recorded on or after {write_day(first, 0)} and on or before {write_day(last, 0)}",
        f"({write_day(first, 0)} - {write_day(last, 0)})",
    ]


def list_term_wordings(names: list[str]) -> list[str]:
    """Ways to say that a record has one of some terms."""
    quoted = [f'"{name}"' for name in names]
    either = join(quoted, "or")
    return [
        f"where the narrative mentions {either}",
        f"that contain {'any of the words' if len(names) > 1 else 'the word'} {either}",
        f"with {either} in the text",
        f"in which {either} {'appear' if len(names) > 1 else 'appears'}",
        f"where the record includes {'one of the following' if len(names) > 1 else 'the word'}: {', '.join(quoted)}",
        f"which refer to {either} anywhere in the notes",
        f"having the keyword{'s' if len(names) > 1 else ''} {join(names, 'or')}",
        f"where officers wrote {either}",
        f"where '{chr(39).join([names[0], ''])}"
        if len(names) == 1
        else f"in whose summary you find {either}",
    ]


def list_code_wordings(codes: list[str]) -> list[str]:
    """Ways to name offences by codes."""
    plural = "s" if len(codes) > 1 else ""
    named = [f"{CODES[code]} ({code})" for code in codes]
    return [
        f"under offence code{plural} {join(codes, 'or')}",
        f"with Home Office code{plural} {join(codes, 'and')}",
        f"classified as {join(named, 'or')}",
        f"(code{plural} {', '.join(codes)})",
        f"recorded against the code{plural} {join(codes, 'or')}",
    ]


VICTIMS = {
    (("age", "{'to': 17}"),): [
        "where the victim was under 18",
        "whose victim was a child under 18",
        "with a victim aged 17 or younger",
        "where the victim had not turned 18",
        "against under-18s",
    ],
    (("age", "{'from': 16}"),): [
        "where the victim was 16 or over",
        "with victims aged 16 and above",
        "where the victim was at least 16",
    ],
    (("age", "{'from': 13, 'to': 15}"),): [
        "where the victim was aged 13 to 15",
        "where the victim was between 13 and 15 years old",
    ],
    (("age", "{'from': 15, 'to': 15}"),): [
        "where the victim was 15",
        "where the victim was fifteen years old",
        "with a victim aged 15",
    ],
    (("sex", "['F']"),): [
        "where the victim was female",
        "with a female victim",
        "against women and girls",
    ],
    (("sex", "['M']"),): ["where the victim was male", "in which the victim was a man or a boy"],
}


def list_period_changes(old: str, new: str) -> list[str]:
    """Ways in which a later mail exchanges a year."""
    return [
        f"By {old} I meant {new}.",
        f"Sorry, where I wrote {old} please read {new}.",
        f"{old} should have been {new}.",
        f"Please make that {new} instead of {old}.",
        f"I got the year wrong: it is {new}, not {old}.",
        f"Could the period be {new} rather than {old}?",
        f"I would like to change the period to {new}.",
        f"On reflection, {new} would be better than {old}.",
        f"Please look at {new} and not {old}.",
        f"There is a typo in my letter, {old} ought to say {new}.",
        f"{new}, not {old}, please.",
    ]


def list_withdrawals(number: str) -> list[str]:
    """Ways in which a later mail takes a question back."""
    return [
        f"Please leave out question {number}.",
        f"Please ignore part {number}.",
        f"I no longer need {number}.",
        f"Question {number} can be dropped.",
        f"You do not have to answer question {number}.",
        f"Forget about question {number}.",
        f"I am happy to do without part {number}.",
        f"Let us skip {number}.",
        f"Please disregard point {number}.",
        f"As for question {number}, I withdraw it.",
        f"I would like all of it but question {number}.",
        f"Everything except question {number}, please.",
    ]


def list_word_changes(old: str, new: str) -> list[str]:
    """Ways in which a later mail exchanges a term."""
    return [
        f'The word should be "{new}" and not "{old}".',
        f'For "{old}" read "{new}".',
        f'I misspelt a word: it is "{new}", not "{old}".',
        f'Please replace "{old}" with "{new}".',
        f'By "{old}" I meant "{new}".',
        f'Instead of "{old}", please search for "{new}".',
        f'I should have written "{new}" where it says "{old}".',
        f'"{old}" was a mistake for "{new}".',
    ]


def list_word_additions(new: str) -> list[str]:
    """Ways in which a later mail adds a term."""
    return [
        f'Please add "{new}" to the words.',
        f'Could you also include the word "{new}"?',
        f'I forgot a word: "{new}".',
        f'Please look for "{new}" as well.',
    ]


def list_word_removals(old: str) -> list[str]:
    """Ways in which a later mail takes a term away."""
    return [
        f'Please take "{old}" off the list.',
        f'You can leave out the word "{old}".',
        f'I do not need "{old}" after all.',
        f'Please do not search for "{old}".',
        f'Skip "{old}", please.',
    ]


def list_code_changes(old: str, new: str) -> list[str]:
    """Ways in which a later mail exchanges a code."""
    return [
        f"The code should be {new}, not {old}.",
        f"By {old} I meant {new}.",
        f"Please use code {new} instead of {old}.",
        f"I had the wrong code. It is {new}.",
        f"Replace code {old} by {new}.",
    ]


def list_part_changes(number: str, old: str, new: str) -> list[str]:
    """Ways in which a later mail changes how one part is broken down."""
    return [
        f"For question {number}, please give figures by {new} and not by {old}.",
        f"Question {number} should be by {new}.",
        f"In {number}, I would rather have it by {new}.",
        f"By {new} is enough for part {number}.",
    ]


def join(words: list[str], conjunction: str) -> str:
    """A list as a sentence has it."""
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
