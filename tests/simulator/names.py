"""Names the made-up people and places, in the scripts that a clinic's registers really hold.

All of them are common given names and surnames put together by chance; none is a person's.
"""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Population:
    """People who share a language: its code, names, home towns and what they complain of."""

    language: str
    female: tuple[str, ...]
    male: tuple[str, ...]
    surnames: tuple[str, ...]
    towns: tuple[str, ...]
    complaints: tuple[str, ...]

    def given(self, rng: random.Random, sex: str) -> str:
        """Draw a given name."""
        return rng.choice(self.female if sex == "female" else self.male)


POPULATIONS = (
    Population(
        "ar",
        ("فاطمة", "مريم", "نور", "ليلى", "عائشة", "هدى", "زينب", "رنا"),
        ("محمد", "أحمد", "يوسف", "خالد", "عمر", "حسن", "إبراهيم", "علي"),
        ("الخطيب", "النجار", "حداد", "العلي", "منصور", "الشامي", "دَرويش", "عبد الله"),
        ("حلب", "الزرقاء", "درعا", "صيدا", "البقاع"),
        ("صداع منذ ثلاثة أيام", "ألم في البطن وحرارة", "سعال جاف ليلاً", "دوخة عند الوقوف"),
    ),
    Population(
        "fr",
        ("Zoé", "Aïcha", "Françoise", "Inès", "Maëlle", "Hélène"),
        ("Jérôme", "Noël", "Théo", "François", "Loïc", "Étienne"),
        ("Lefèvre", "Müller-Dupré", "N’Diaye", "Bérenger", "Garçon", "d’Hôtel"),
        ("Bangui", "Saint-Étienne", "Cap-Haïtien", "Goma"),
        ("Céphalées depuis trois jours", "Fièvre et toux grasse", "Douleur à l’épaule gauche"),
    ),
    Population(
        "es",
        ("María José", "Lucía", "Ángela", "Inés", "Begoña", "Itzel"),
        ("José Ángel", "Íñigo", "Raúl", "Andrés", "Martín", "Óscar"),
        ("Núñez", "García Márquez", "Peña", "Ibáñez", "Muñoz", "Quispe Mamani"),
        ("Tegucigalpa", "Cúcuta", "Asunción", "León"),
        ("Dolor de cabeza y náuseas", "Tos con flema", "Presión alta en casa", "Mareos por la mañana"),
    ),
    Population(
        "am",
        ("ሰላም", "ሄለን", "አልማዝ", "ብርቱካን", "ሃና"),
        ("አበበ", "ዳዊት", "ተስፋዬ", "ሙሉጌታ", "ዮሐንስ"),
        ("ገብረማርያም", "ታደሰ", "ኃይሌ", "ወልደ", "በቀለ"),
        ("ጎንደር", "አዳማ", "መቀሌ", "ሐዋሳ"),
        ("ራስ ምታትና ትኩሳት", "የሆድ ህመም", "ደረቅ ሳል"),
    ),
    Population(
        "bn",
        ("আয়েশা", "নাসরিন", "রোকেয়া", "সুমাইয়া", "জান্নাত"),
        ("রহিম", "করিম", "আব্দুল্লাহ", "সৌরভ", "তানভীর"),
        ("হোসেন", "চৌধুরী", "আক্তার", "বেগম", "মণ্ডল"),
        ("কক্সবাজার", "উখিয়া", "টেকনাফ", "সিলেট"),
        ("তিন দিন ধরে জ্বর", "শ্বাসকষ্ট ও কাশি", "পেটে ব্যথা"),
    ),
    Population(
        "uk",
        ("Оксана", "Мар’яна", "Їванна", "Соломія"),
        ("Тарас", "Богдан", "Ігор", "В’ячеслав"),
        ("Шевченко", "Ґалаґан", "Кравець", "Щербак"),
        ("Харків", "Львів", "Краматорськ"),
        ("Головний біль", "Підвищений тиск", "Біль у попереку"),
    ),
    Population(
        "en",
        ("Grace", "Sinéad", "Nkechi", "Ọlábísí", "Anne-Marie"),
        ("Emmanuel", "Seán", "Chukwuemeka", "Kofi", "Thomas"),
        ("O'Brien", "Okonkwo", "Mensah", "Smith-Jones", "Ndlovu"),
        ("Juba", "Bentiu", "Kakuma", "Freetown"),
        ("Headache for three days", "Cough, worse at night", 'Says "my chest is tight"', "Follow-up: blood pressure"),
    ),
)
