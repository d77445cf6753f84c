"""Golden files of delimited text: the rows that Python's csv reads in short texts of quotes, separators and line ends, and
what pandas makes of whole files and of their missing values."""

import csv
import io
import itertools
import random

import pandas as pd

from common import Area

AREA = Area("csv")


def rows(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def is_open(text):
    """Whether a text ends inside quotes: what is put behind it does not stand in a field of its own."""
    return rows(text + ",E")[-1][-1] != "E"


def is_strict(text):
    """Whether nothing but the end of the field follows the end of quotes."""
    try:
        list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return "expected after" not in str(error)
    return True


def texts():
    """Written by hand, all short ones, and some longer ones by chance."""
    yield from [
        '5" pipe,b,c\n1,2,3\n', '1,5",1\n2,6",2\n3,7",3\n', '"a""b",c,d\r\n"e\nf",g,h\r\n', '"a"b,c,d\n', 'a, "b",c\n', 'a,b\nc\n,,\n',
        'a,b,c,d\n1,2,3\n', 'a,b,c\n\n\r\nd,e,f\n\n', '"a,b,c\n1,2,3\n', 'a,"",c\n"","",""\n', 'a,b,c\n"\n\n"\n', '"""",b,c\n',
        'one,"two\nlines, and ""words""",x\r\n1,2,3', '"x",\n"y"\n"z",1,2\n', "it's,5' wide,\u00e4\n",
    ]
    letters = ["a", '"', ",", "\n"]
    for length in range(3):
        for text in itertools.product(letters, repeat=length):
            yield "".join(text)
    chance = random.Random(31)
    for _ in range(60):
        yield "".join(chance.choices(["a", "1", '"', ",", "\n", "\r\n", ' '], [4, 4, 5, 6, 3, 1, 1], k=chance.randint(6, 24)))


AREA.json("rows.json", [{"text": text, "strict": is_strict(text), "rows": None if is_open(text) else rows(text)} for text in dict.fromkeys(texts())])


def frame(table):
    """Columns by name; a missing value is null, whatever pandas calls it."""
    return {name: [None if pd.isna(value) else value for value in table[name]] for name in table.columns}


inches = "id,size,n\n" + "".join(f'{i},{"plain" if i % 500 != 2 else str(i % 9) + chr(34) + " pipe"},{i}\n' for i in range(3000))
nulls = "x,t\n1.5,a\nNA,NA\nnan,N/A\nNaN,null\n1e400,None\n,n/a\n-2,b\n"
AREA.json("whole.json", {
    "inches": {"text": inches, "rows": len(pd.read_csv(io.StringIO(inches))), "sum": int(pd.read_csv(io.StringIO(inches))["id"].sum())},
    "nulls": {"text": nulls, "columns": frame(pd.read_csv(io.StringIO(nulls)))},
    "blank": {"text": "x,y\n1,a\n\n2,b\n\n\n", "columns": frame(pd.read_csv(io.StringIO("x,y\n1,a\n\n2,b\n\n\n")))},
    "mark": {"text": "\ufeffx,y\n1,a\n", "columns": frame(pd.read_csv(io.BytesIO("\ufeffx,y\n1,a\n".encode())))},
})
AREA.finish()
