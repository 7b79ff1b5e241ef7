"""Cleaning and cutting text of many scripts: nanoseconds of CPU a character, beside ASCII.

The texts are administrative lines, and the first article of the Universal Declaration of Human
Rights, repeated to 1,000 characters; and the real narratives where they are at hand. ``mixed`` is
seven parts English from Word, and one each of chat with emoji, Russian and Arabic. Every text takes
its turn in each round; the best round counts.
"""

from __future__ import annotations

import time
from typing import Final

import msgspec

from indexer.records.damage.detect import find_damage
from indexer.records.narrative import clean_text, segment_narrative
from tests.support.narratives import REAL

_LENGTH: Final = 1_000

SENTENCES: Final = {
    "English, ASCII": "The officer's note said \"no further action\" - see the log... The caller's phone (250) was not recovered * no suspect. ",
    "English from Word": "The officer’s note said “no further action” – see the log… The caller’s phone (£250) was not recovered • no suspect. ",
    "chat with emoji": "ok see u there 😂😂 👍🏽 ❤️ bring ur phone 📱!! cant w8… ",
    "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geiste der Brüderlichkeit begegnen. Die Straße ist groß. ",
    "Turkish": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. İnsanlar akıl ve vicdana sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler. İstanbul. ",
    "Vietnamese": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. Mọi con người đều được tạo hoá ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình anh em. ",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης. ",
    "Russian": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства. ",
    "Arabic": "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميراً وعليهم أن يعامل بعضهم بعضاً بروح الإخاء. ",
    "Arabic with vowel signs": "يُولَدُ جَمِيعُ النَّاسِ أَحْرَارًا مُتَسَاوِينَ فِي الْكَرَامَةِ وَالْحُقُوقِ. وَقَدْ وُهِبُوا عَقْلًا وَضَمِيرًا. ",
    "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए। लड़ाई पढ़ना। ",
    "Bengali": "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে। তাঁদের বিবেক এবং বুদ্ধি আছে; সুতরাং সকলেরই একে অপরের প্রতি ভ্রাতৃত্বসুলভ মনোভাব নিয়ে আচরণ করা উচিৎ। ",
    "Tamil": "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்; அவர்கள் மதிப்பிலும், உரிமைகளிலும் சமமானவர்கள், அவர்கள் நியாயத்தையும் மனச்சாட்சியையும் இயற்பண்பாகப் பெற்றவர்கள். அவர்கள் ஒருவருடனொருவர் சகோதர உணர்வுப் பாங்கில் நடந்துகொள்ளல் வேண்டும். ",
    "Thai": "มนุษย์ทั้งปวงเกิดมามีอิสระและเสมอภาคกันในศักดิ์ศรีและสิทธิ ต่างในตนมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ ",
    "Korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다. ",
    "Japanese": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。",
    "Chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
}


def measure(rounds: int) -> dict[str, float]:
    """Nanoseconds a character of each text."""
    texts = {
        name: [(text * (_LENGTH // len(text) + 1))[:_LENGTH]] for name, text in SENTENCES.items()
    }
    word, chat, russian, arabic = (
        texts[name][0] for name in ("English from Word", "chat with emoji", "Russian", "Arabic")
    )
    texts["mixed"] = [*[word] * 7, chat, russian, arabic]
    if REAL.exists():
        lines = REAL.read_bytes().splitlines()
        real = [msgspec.json.decode(line)["text"] for line in lines]
        texts["real narratives, ASCII"] = [text for text in real if text.isascii()]
        texts["real narratives, others"] = [text for text in real if not text.isascii()]
    found = dict.fromkeys(texts, float("inf"))
    for _ in range(rounds + 1):  # the first builds the tables
        for name, group in texts.items():
            number = sum(map(len, group))
            repeats = max(1, 100_000 // number)
            start = time.thread_time()
            for _ in range(repeats):
                for text in group:
                    find_damage(text)
                    segment_narrative(clean_text(text))
            taken = (time.thread_time() - start) / repeats / number * 1e9
            found[name] = min(found[name], taken)
    return found
