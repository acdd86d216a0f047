"""What mails and their pages say, in each language the product speaks (TR-6). Reviews by native speakers are pending but for English.

No sentence has room for a child's name or for what somebody wrote: the school's name is the only thing that is filled in, and in what
leaders are told also which member of staff came in, and until when.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Words:
    """All words of one language. `{school}` stands for the school's name, `{who}` for a member of staff, `{until}` for day and time."""

    subject: str
    line: str
    private: str
    button: str
    address_hint: str
    why: str
    unsubscribe: str
    page_title: str
    page_question: str
    page_button: str
    page_done: str
    page_back: str
    page_unknown: str
    glass_subject: str
    glass_line: str
    glass_private: str
    glass_button: str


WORDS: Mapping[str, Words] = MappingProxyType({
    "en": Words(
        subject="New message from {school}",
        line="There is a new message for you at {school}.",
        private="To keep it private, this e-mail does not show what the message says.",
        button="Read the message",
        address_hint="If the button does not work, open this address:",
        why="You get this e-mail because {school} uses Bookbag and this address is on file there.",
        unsubscribe="Stop these e-mails",
        page_title="E-mails about new messages",
        page_question="Stop e-mails about new messages? You will still see your messages in Bookbag.",
        page_button="Stop these e-mails",
        page_done="Done. You will get no more e-mails about new messages.",
        page_back="You can switch them on again in Bookbag, under More.",
        page_unknown="This link is not valid any more. You can switch e-mails off in Bookbag, under More.",
        glass_subject="Somebody came in outside the rules of {school}",
        glass_line="{who} gave a reason and came in to Bookbag outside the hours or places of {school}, until {until}.",
        glass_private="You get this because you lead the school. The reason is on the school's record, and not in this e-mail, because it may speak of a child.",
        glass_button="Read the record",
    ),
    "es": Words(
        subject="Mensaje nuevo de {school}",
        line="Tiene un mensaje nuevo en {school}.",
        private="Para proteger su privacidad, este correo no muestra lo que dice el mensaje.",
        button="Leer el mensaje",
        address_hint="Si el botón no funciona, abra esta dirección:",
        why="Recibe este correo porque {school} usa Bookbag y allí consta esta dirección.",
        unsubscribe="No recibir más estos correos",
        page_title="Correos sobre mensajes nuevos",
        page_question="¿Quiere dejar de recibir correos sobre mensajes nuevos? Seguirá viendo sus mensajes en Bookbag.",
        page_button="No recibir más estos correos",
        page_done="Hecho. Ya no recibirá correos sobre mensajes nuevos.",
        page_back="Puede volver a activarlos en Bookbag, en Más.",
        page_unknown="Este enlace ya no es válido. Puede desactivar los correos en Bookbag, en Más.",
        glass_subject="Alguien ha entrado fuera de las normas de {school}",
        glass_line="{who} ha dado un motivo y ha entrado en Bookbag fuera de las horas o los lugares de {school}, hasta el {until}.",
        glass_private="Lo recibe porque usted dirige el centro. El motivo consta en el registro del centro y no en este correo, porque puede hablar de un menor.",
        glass_button="Leer el registro",
    ),
    "cy": Words(
        subject="Neges newydd gan {school}",
        line="Mae neges newydd i chi yn {school}.",
        private="Er mwyn cadw'r neges yn breifat, nid yw'r e-bost hwn yn dangos beth mae'n ei ddweud.",
        button="Darllen y neges",
        address_hint="Os nad yw'r botwm yn gweithio, agorwch y cyfeiriad hwn:",
        why="Rydych chi'n cael yr e-bost hwn am fod {school} yn defnyddio Bookbag a bod y cyfeiriad hwn ar ffeil yno.",
        unsubscribe="Stopio'r e-byst hyn",
        page_title="E-byst am negeseuon newydd",
        page_question="Stopio e-byst am negeseuon newydd? Byddwch yn dal i weld eich negeseuon yn Bookbag.",
        page_button="Stopio'r e-byst hyn",
        page_done="Wedi'i wneud. Ni chewch ragor o e-byst am negeseuon newydd.",
        page_back="Gallwch eu troi ymlaen eto yn Bookbag, o dan Mwy.",
        page_unknown="Nid yw'r ddolen hon yn ddilys mwyach. Gallwch ddiffodd e-byst yn Bookbag, o dan Mwy.",
        glass_subject="Daeth rhywun i mewn y tu allan i reolau {school}",
        glass_line="Rhoddodd {who} reswm a dod i mewn i Bookbag y tu allan i oriau neu leoedd {school}, hyd at {until}.",
        glass_private="Rydych chi'n cael hwn am eich bod yn arwain yr ysgol. Mae'r rheswm ar gofnod yr ysgol, ac nid yn yr e-bost hwn, am y gall sôn am blentyn.",
        glass_button="Darllen y cofnod",
    ),
    "pl": Words(
        subject="Nowa wiadomość: {school}",
        line="Czeka na Ciebie nowa wiadomość ({school}).",
        private="Dla ochrony prywatności ten e-mail nie pokazuje treści wiadomości.",
        button="Przeczytaj wiadomość",
        address_hint="Jeśli przycisk nie działa, otwórz ten adres:",
        why="Dostajesz ten e-mail, ponieważ szkoła ({school}) korzysta z Bookbag i ma ten adres w swoich danych.",
        unsubscribe="Nie wysyłaj więcej tych e-maili",
        page_title="E-maile o nowych wiadomościach",
        page_question="Wyłączyć e-maile o nowych wiadomościach? Wiadomości nadal będą widoczne w Bookbag.",
        page_button="Nie wysyłaj więcej tych e-maili",
        page_done="Gotowe. Nie będziemy już wysyłać e-maili o nowych wiadomościach.",
        page_back="Możesz je znowu włączyć w Bookbag, w zakładce Więcej.",
        page_unknown="Ten link jest już nieważny. E-maile możesz wyłączyć w Bookbag, w zakładce Więcej.",
        glass_subject="Ktoś wszedł poza zasadami szkoły ({school})",
        glass_line="{who} – po podaniu powodu – korzysta z Bookbag poza godzinami lub miejscami dozwolonymi w szkole ({school}), do: {until}.",
        glass_private="Dostajesz tę wiadomość, ponieważ kierujesz szkołą. Powód jest w rejestrze szkoły, a nie w tym e-mailu, bo może dotyczyć dziecka.",
        glass_button="Przeczytaj rejestr",
    ),
    "ar": Words(
        subject="رسالة جديدة من {school}",
        line="لديك رسالة جديدة في {school}.",
        private="حفاظًا على الخصوصية، لا تعرض هذه الرسالة الإلكترونية نص الرسالة.",
        button="قراءة الرسالة",
        address_hint="إذا لم يعمل الزر، فافتح هذا العنوان:",
        why="وصلتك هذه الرسالة الإلكترونية لأن {school} تستخدم Bookbag وهذا العنوان مسجَّل لديها.",
        unsubscribe="إيقاف هذه الرسائل الإلكترونية",
        page_title="رسائل إلكترونية عن الرسائل الجديدة",
        page_question="هل تريد إيقاف الرسائل الإلكترونية عن الرسائل الجديدة؟ ستبقى رسائلك ظاهرة في Bookbag.",
        page_button="إيقاف هذه الرسائل الإلكترونية",
        page_done="تم. لن تصلك بعد الآن رسائل إلكترونية عن الرسائل الجديدة.",
        page_back="يمكنك تشغيلها مرة أخرى في Bookbag ضمن «المزيد».",
        page_unknown="لم يعد هذا الرابط صالحًا. يمكنك إيقاف الرسائل الإلكترونية في Bookbag ضمن «المزيد».",
        glass_subject="دخل شخص خارج قواعد {school}",
        glass_line="ذكر {who} سببًا ودخل إلى Bookbag خارج الأوقات أو الأماكن المسموح بها في {school}، حتى {until}.",
        glass_private="وصلتك هذه الرسالة لأنك من قيادة المدرسة. السبب مدوَّن في سجل المدرسة وليس في هذه الرسالة، لأنه قد يتعلق بطفل.",
        glass_button="قراءة السجل",
    ),
    "ur": Words(
        subject="{school} کی طرف سے نیا پیغام",
        line="{school} میں آپ کے لیے ایک نیا پیغام ہے۔",
        private="رازداری کے لیے اس ای میل میں پیغام کا متن نہیں دکھایا گیا۔",
        button="پیغام پڑھیں",
        address_hint="اگر بٹن کام نہ کرے تو یہ پتہ کھولیں:",
        why="آپ کو یہ ای میل اس لیے ملی ہے کہ {school} میں Bookbag استعمال ہوتا ہے اور یہ پتہ وہاں درج ہے۔",
        unsubscribe="یہ ای میلز بند کریں",
        page_title="نئے پیغامات کی ای میلز",
        page_question="کیا نئے پیغامات کی ای میلز بند کر دیں؟ آپ کے پیغامات Bookbag میں نظر آتے رہیں گے۔",
        page_button="یہ ای میلز بند کریں",
        page_done="ہو گیا۔ اب آپ کو نئے پیغامات کی ای میلز نہیں آئیں گی۔",
        page_back="آپ انہیں Bookbag میں «مزید» کے تحت دوبارہ چالو کر سکتے ہیں۔",
        page_unknown="یہ لنک اب کارآمد نہیں رہا۔ آپ Bookbag میں «مزید» کے تحت ای میلز بند کر سکتے ہیں۔",
        glass_subject="{school} کے اصولوں سے ہٹ کر کوئی اندر آیا",
        glass_line="{who} نے وجہ بتائی اور {school} کے مقررہ اوقات یا جگہوں سے ہٹ کر {until} تک کے لیے Bookbag میں آئے۔",
        glass_private="آپ کو یہ اس لیے ملا ہے کہ آپ اسکول کی سربراہی کرتے ہیں۔ وجہ اسکول کے ریکارڈ میں درج ہے، اس ای میل میں نہیں، کیونکہ اس میں کسی بچے کا ذکر ہو سکتا ہے۔",
        glass_button="ریکارڈ پڑھیں",
    ),
})  # fmt: skip
