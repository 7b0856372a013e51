-- The forms under which a customer's number may be stored: as given; as we store it, in international digits
-- (`201012345678`), or `…@lid` if WhatsApp hides the number; and as others write it. Accepts `+`, leading 00, spaces,
-- dashes, brackets, dots, Arabic and Persian digits, WhatsApp's suffixes and device parts. Anything else is an id,
-- which has only the given form.
CREATE OR REPLACE FUNCTION public.whatsapp_forms(p_user_phone text) RETURNS text[]
    LANGUAGE plpgsql
    IMMUTABLE
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_server text;
    v_number text := p_user_phone;
BEGIN
    IF v_number !~ '^[1-9][0-9]*$' THEN
        v_server := pg_catalog.lower(pg_catalog.split_part(p_user_phone, '@', 2));
        v_number := pg_catalog.translate(
            pg_catalog.regexp_replace(
                pg_catalog.split_part(p_user_phone, '@', 1), CASE v_server WHEN '' THEN ':.*$' ELSE '[.:_].*$' END, ''
            ),
            '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹' || E'+-()[]./ \t\n\r\u00A0\u00AD\u061C\u2007\u2009\u200B\u200E\u200F\u2010'
                '\u2011\u2012\u2013\u202A\u202B\u202C\u202D\u202E\u202F\u2060\u2066\u2067\u2068\u2069\uFEFF',
            '01234567890123456789'
        );
        IF v_number !~ '^[0-9]+$' THEN
            RETURN ARRAY[p_user_phone];
        ELSIF v_server IN ('lid', 'hosted.lid') THEN
            RETURN ARRAY[p_user_phone, v_number || '@lid'];
        ELSIF v_server NOT IN ('', 's.whatsapp.net', 'c.us', 'hosted') THEN
            RETURN ARRAY[p_user_phone];
        END IF;
        v_number := pg_catalog.regexp_replace(v_number, '^00(?=.)', '');
    END IF;
    RETURN ARRAY[
        p_user_phone, v_number, '+' || v_number, '00' || v_number, v_number || '@s.whatsapp.net', v_number || '@c.us'
    ];
END
$$;
