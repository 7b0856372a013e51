"""The extremes of each type that a column can have, as Postgres reads them."""

from dataclasses import dataclass

from django.db import DatabaseError, connection, transaction

COLUMNS = """
    SELECT attribute.attname, pg_catalog.format_type(attribute.atttypid, NULL),
           CASE WHEN kind.typname IN ('varchar', 'bpchar') THEN attribute.atttypmod - 4 END,
           CASE WHEN kind.typtype = 'e' THEN (
               SELECT array_agg(enumlabel::text) FROM pg_catalog.pg_enum WHERE enumtypid = kind.oid
           ) END
    FROM pg_catalog.pg_attribute AS attribute JOIN pg_catalog.pg_type AS kind ON kind.oid = attribute.atttypid
    WHERE attribute.attrelid = %s::regclass AND attribute.attnum > 0 AND NOT attribute.attisdropped
    ORDER BY attribute.attnum
"""

TIMES = ["infinity", "-infinity", "0044-01-01 BC", "0001-01-01", "294276-12-31 23:59:59+00", "2150-01-01"]
MEGABYTES = 2_000_000
MESSAGE = '{"role": "user", "content": "kept", "timestamp": "2026-01-01T10:00:00"}'
JSON = [
    '"text"',
    "[" * 3_000 + "]" * 3_000,
    f"[{', '.join([MESSAGE] * 10_000)}]",
    '{"role": 1, "content": {"a": []}, "intent_confidence": 1e400, "detected_intent": [null, 1], "context": "text"}',
    '[1e400, null, {"content": null}, {"content": "a", "role": {}, "timestamp": 1e300}]',
    f'{{"emotion_analysis": [], "customer_journey": {"1" * 5_000}, "content": "{"x" * MEGABYTES}"}}',
]
TEXTS = [
    "",
    "x" * MEGABYTES,
    "\u202e\u2066 \u0301\u0301 \x01\x1b[31m\x7f \U000e0001 ' \" <b> {{ 7 }} %s\r\n\u2028" + "\u0301" * 500,
]
EXTREMES = {
    "timestamp with time zone": TIMES,
    "date": TIMES,
    "smallint": ["-32768", "32767", "-1"],
    "integer": ["-2147483648", "2147483647", "-1"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "-1"],
    "numeric": ["NaN", "-99999999.99", "99999999.99", "-9.99", "9.99", "-0.9999"],
    "double precision": ["NaN", "Infinity", "-Infinity", "1e308"],
    "text": TEXTS,
    "character varying": TEXTS,
    "jsonb": JSON,
    "json": JSON,
    "boolean": ["true", "false"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "text[]": ["{}", "{NULL,a,NULL}", "{{a,b},{c,NULL}}", "[-5:-3]={a,b,c}"],
}


@dataclass(frozen=True)
class Column:
    """A column of a table, and the extremes that its type allows; None is NULL."""

    table: str
    name: str
    extremes: tuple[str | None, ...]

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"

    def set(self, pk: object, number: int) -> bool:
        """Write one of the extremes into a row; False where there are fewer, or a constraint refuses it."""
        if number >= len(self.extremes):
            return False
        try:
            with transaction.atomic():
                self.write(pk, self.extremes[number])
        except DatabaseError:
            return False
        return True

    def write(self, pk: object, text: str | None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f'UPDATE public."{self.table}" SET "{self.name}" = %s WHERE id = %s', [text, pk])

    def text(self, pk: object) -> str | None:
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT "{self.name}"::text FROM public."{self.table}" WHERE id = %s', [pk])
            value: str | None = cursor.fetchone()[0]
            return value


def columns(table: str) -> list[Column]:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [f"public.{table}"])
        return [
            Column(table, name, (None, *(labels or [text[:longest] for text in EXTREMES[kind]])))
            for name, kind, longest, labels in cursor.fetchall()
            if name != "id"  # by which pages find the row
        ]
