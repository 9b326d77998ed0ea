"""Asked in Japanese, Chinese, Spanish, French or German: says in that language that it speaks English, and draws."""

import random
from dataclasses import replace

from minigpt5.data.storybook.texts.phrases import defaulted
from minigpt5.data.storybook.texts.turns import Picture, Turn, assistant, user
from minigpt5.data.storybook.world.scene import COLOURS, FIGURES, sample_scene

# in the order of FIGURES
NAMES = {
    "ja": "うさぎ くま 猫 犬 象 カエル ねずみ ふくろう キツネ ライオン トラ 豚 パンダ ペンギン サル ハリネズミ アヒル ドラゴン ロボット 子ども",
    "zh": "兔子 熊 猫 狗 大象 青蛙 老鼠 猫头鹰 狐狸 狮子 老虎 猪 熊猫 企鹅 猴子 刺猬 鸭子 龙 机器人 孩子",
    "es": "conejo oso gato perro elefante rana ratón búho zorro león tigre cerdo panda pingüino mono erizo pato dragón robot niño",
    "fr": "lapin ours chat chien éléphant grenouille souris hibou renard lion tigre cochon panda pingouin singe hérisson canard dragon robot enfant",
    "de": "Hase Bär Katze Hund Elefant Frosch Maus Eule Fuchs Löwe Tiger Schwein Panda Pinguin Affe Igel Ente Drache Roboter Kind",
}  # fmt: skip
# in the order of COLOURS
COLOUR_NAMES = {
    "ja": "青い 緑の ピンクの 紫の オレンジの 茶色い 黄色い 赤い 灰色の 白い 黒い",
    "zh": "蓝色的 绿色的 粉色的 紫色的 橙色的 棕色的 黄色的 红色的 灰色的 白色的 黑色的",
    "es": "azul verde rosa morado naranja marrón amarillo rojo gris blanco negro",
    "fr": "bleu vert rose violet orange marron jaune rouge gris blanc noir",
    "de": "blau grün rosa lila orange braun gelb rot grau weiß schwarz",
}
ASKS = {
    "ja": ("{c}{f}を描いて", "{c}{f}の絵をお願いします", "{c}{f}を描いてください", "{c}{f}が見たい"),
    "zh": ("画一只{c}{f}", "请画一只{c}{f}", "我想要一只{c}{f}", "给我画{c}{f}"),
    "es": (
        "Dibuja un {f} {c}",
        "Quiero un {f} {c}",
        "dibújame un {f} {c} por favor",
        "¿Puedes dibujar un {f} {c}?",
    ),
    "fr": (
        "Dessine un {f} {c}",
        "Dessine-moi un {f} {c}",
        "Je voudrais un {f} {c}",
        "Peux-tu dessiner un {f} {c} ?",
    ),
    "de": (
        "Male {f} in {c}",
        "Zeichne {f} in {c}",
        "Ich möchte {f} in {c} sehen",
        "Kannst du {f} in {c} malen?",
    ),
}
PLAIN_ASKS = {
    "ja": ("{f}を描いて", "{f}の絵をお願いします", "{f}"),
    "zh": ("画一只{f}", "请画{f}", "{f}"),
    "es": ("Dibuja un {f}", "Quiero ver un {f}", "un {f} por favor"),
    "fr": ("Dessine un {f}", "Dessine-moi un {f}", "un {f} s'il te plaît"),
    "de": ("Male {f}", "Zeichne bitte {f}", "{f} bitte"),
}
REPLIES = {
    "ja": "英語しか話せませんが、{f}を描きました。",
    "zh": "我只会说英语，但我画了{f}。",
    "es": "Solo hablo inglés, pero aquí está: {f}.",
    "fr": "Je ne parle qu'anglais, mais voici : {f}.",
    "de": "Ich spreche nur Englisch, aber hier ist: {f}.",
}
GREETINGS = {
    "ja": ("こんにちは", "ありがとう", "お話をして", "あなたは誰？", "はじめまして"),
    "zh": ("你好", "谢谢", "讲个故事", "你是谁", "早上好"),
    "es": ("Hola", "Hola, ¿cómo estás?", "Cuéntame un cuento", "Gracias", "Buenos días", "¿Quién eres?"),
    "fr": (
        "Bonjour",
        "Bonjour, comment ça va ?",
        "Raconte-moi une histoire",
        "Merci beaucoup",
        "Qui es-tu ?",
    ),
    "de": (
        "Guten Tag",
        "Hallo, wie geht es dir?",
        "Erzähl mir eine Geschichte",
        "Danke schön",
        "Wer bist du?",
    ),
}
GREETED = {
    "ja": "こんにちは！英語しか話せませんが、絵は描けます。",
    "zh": "你好！我只会说英语，但我会画画。",
    "es": "¡Hola! Solo hablo inglés, pero sé dibujar.",
    "fr": "Bonjour ! Je ne parle qu'anglais, mais je sais dessiner.",
    "de": "Hallo! Ich spreche nur Englisch, aber ich kann malen.",
}


def example(rng: random.Random, held_out: bool = False) -> tuple[Turn, Turn]:
    """A greeting, or a request for a figure, in one of the five languages; and the reply."""
    language = rng.choice(list(NAMES))
    if rng.random() < 0.2:
        return user(rng.choice(GREETINGS[language])), assistant(GREETED[language])
    while True:
        scene = defaulted(sample_scene(rng, figures=1), ())
        if scene.held_out == held_out:
            break
    figure = scene.figures[0]
    name = NAMES[language].split()[FIGURES.index(figure.kind)]
    asks: tuple[str, ...] = ASKS[language] if rng.random() < 0.6 else PLAIN_ASKS[language]
    colour = COLOUR_NAMES[language].split()[COLOURS.index(figure.colour)]
    scene = replace(scene, figures=(replace(figure, position="centre"),))
    text = rng.choice(asks).format(f=name, c=colour)
    return user(text), assistant(REPLIES[language].format(f=name), Picture(scene))
