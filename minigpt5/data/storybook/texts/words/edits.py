"""How people ask to change the last picture, by what is to change, and how the reply says so."""

# {p} is a phrase ("at night"), {n} a name ("night")
SURROUNDINGS_EDITS = (
    "Now {p}", "Now {p}", "now {p}", "Make it {p}", "Same but {p}", "The same {p}", "What about {p}?", "And {p}?",
    "Show it {p}", "Can you make it {p}?", "Change it to {n}", "Now make it {n}", "I want it {p}", "But {p}",
    "How does it look {p}?", "Draw it again {p}", "Same picture {p}", "The same picture but {p}", "And now {p}",
    "{p}, please", "Could it be {n}?", "but {p}", "and now {p}", "{p} this time", "Let it be {n}", "Put it {p}",
    "Let's see it {p}", "What would it look like {p}?", "Turn it to {n}", "Move it {p}", "Now the same {p}",
    "Again, but {p}", "Try it {p}", "can it be {p}", "make that {n}", "{n} instead", "{n} please", "do it {p}",
)  # fmt: skip
PLACE_EDITS = (
    "Put {him} {p}", "Take {him} {p}", "Let {him} be {p}", "Send {him} {to}", "Now {he} goes {to}", "Go {to}",
    "Bring {him} {to}", "Move {him} {to}", "Put the {k} {p}", "Same {k} {p}", "The {k} goes {to}",
    "Let's go {to}", "Now take {him} {to}", "I want {him} {p}", "place {him} {p}", "The {k} should be {p}",
)  # fmt: skip
WEATHER_EDITS = ("Make it {b}", "Let it {b}", "Can it {b}?", "Now it {t}", "Add {n}", "Add some {n}", "With {n}",
                 "What if it {t}?", "and {n}", "Let there be {n}", "Change the weather to {n}", "more {n}")  # fmt: skip
WEATHER_VERBS = {"rain": ("rain", "rains"), "snow": ("snow", "snows"), "storm": ("storm", "storms")}
NO_WEATHER_EDITS = ("Stop the {n}", "No more {n}", "Without the {n}", "Take the {n} away", "Make the {n} stop",
                    "Let it clear up", "Clear the sky", "no {n} please", "Better weather please", "remove the {n}",
                    "Now without {n}", "It should not {n} any more", "the same without {n}")  # fmt: skip
COLOUR_EDITS = (
    "Make it {c}", "Make {him} {c}", "Paint it {c}", "Change the colour to {c}", "Change the color to {c}",
    "Same but {c}", "I want a {c} one", "Turn it {c}", "Turn {him} {c}", "A {c} one please", "In {c} please",
    "Can it be {c}?", "Make the {k} {c}", "Now a {c} {k}", "Could you make it {c}?", "Colour it {c}",
    "{c} instead", "The same {k} but {c}", "I prefer {c}", "Can you change it to {c}?", "The {k} should be {c}",
    "Do it in {c}", "{c}!", "now {c}", "not {o}, {c}", "{c} instead of {o}", "the {k} {c} please",
)  # fmt: skip
KIND_EDITS = (
    "Now a {a}", "Make it a {a}", "Same but with a {a}", "A {a} instead", "Change it to a {a}", "I want a {a}",
    "What about a {a}?", "Turn it into a {a}", "A {a} instead of the {k}", "Replace the {k} with a {a}",
    "Make the {k} a {a}", "Same picture with a {a}", "And now a {a}", "Swap the {k} for a {a}",
    "The same but a {a}", "I'd rather have a {a}", "not a {k}, a {a}", "Change the {k} into a {a}",
)  # fmt: skip
POSITION_EDITS = ("Put it {p}", "Move it {p}", "Now {p}", "It should be {p}", "Put the {k} {p}", "Move the {k} {p}",
                  "Same but {p}", "Place {him} {p}", "I want {him} {p}", "{p} please", "Move {him} {p}")  # fmt: skip
ACTION_EDITS = (
    "Make it {v}", "Now {g}", "Let it {v}", "What if it {s}?", "Can it {v}?", "Same but {g}", "Make the {k} {v}",
    "Make {him} {v}", "Let {him} {v}", "It should {v}", "Now it {s}", "Now {he} {s}", "Show it {g}",
    "The same {k} {g}", "I want it to {v}", "Let the {k} {v}", "Now the {k} {s}", "Have {him} {v}",
    "Draw it {g}", "{g} please", "{he} should {v}", "now {he} is {g}", "make {him} {v} now",
)  # fmt: skip
MOOD_EDITS = ("Make it {m}", "Make {him} {m}", "Now {m}", "The {k} should be {m}", "Make the {k} look {m}",
              "Same but {m}", "Can {he} be {m}?", "Let {him} be {m}", "now {he} is {m}", "Why not {m}?",
              "Let {him} look {m}", "{he} should look {m}", "A {m} {k} please", "I want a {m} face")  # fmt: skip
WEAR_EDITS = ("Give {him} {w}", "Put {w} on {him}", "With {w}", "Now with {w}", "Add {w}", "{He} should wear {w}",
              "Let {him} wear {w}", "Same but with {w}", "Give the {k} {w}", "{w} please", "Can {he} wear {w}?",
              "Put {w} on the {k}", "and {w}", "Now wearing {w}")  # fmt: skip
NO_WEAR_EDITS = ("Take off the {w}", "Without the {w}", "No {w}", "Remove the {w}", "Take the {w} off",
                 "Same but without the {w}", "no {w} please", "Lose the {w}")  # fmt: skip
THING_EDITS = (
    "Add {p}", "Give it {p}", "Give {him} {p}", "With {p}", "Now with {p}", "Put {p} in the picture",
    "Can it have {p}?", "Add {p} please", "Give the {k} {p}", "Same but with {p}", "Can you add {p}?",
    "It needs {p}", "I want {p} too", "and {p}", "What about {p}?", "Draw {p} too", "Include {p}", "also {p}",
    "There should be {p}", "{p} is missing", "Please add {p}", "now add {p}", "Put in {p}", "I would like {p} too",
)  # fmt: skip
NO_THING_EDITS = (
    "Take away the {t}", "Without the {t}", "No {t}", "Remove the {t}", "Take the {t} away", "Lose the {t}",
    "Same but without the {t}", "I don't want the {t}", "Get rid of the {t}", "Delete the {t}", "no {t} please",
    "Leave out the {t}", "now without the {t}", "the same without {t}", "drop the {t}", "and no {t}",
)  # fmt: skip
SWAP_EDITS = ("{p} instead of the {t}", "Replace the {t} with {p}", "Swap the {t} for {p}", "Make the {t} {p}",
              "Not the {t}, {p}", "Change the {t} to {p}", "{p} and not the {t}", "Instead of the {t} I want {p}")  # fmt: skip
THING_COLOUR_EDITS = ("Make the {t} {c}", "A {c} {t} instead", "The {t} should be {c}", "Paint the {t} {c}",
                      "Can the {t} be {c}?", "I want a {c} {t}", "Turn the {t} {c}", "Change the {t} to {c}")  # fmt: skip
FRIEND_EDITS = (
    "Add {f}", "Now with {f}", "Give it a friend, {f}", "And {f} next to it", "Put {f} beside it",
    "Add {f} as a friend", "Can {f} come too?", "It needs a friend, {f}", "With {f}", "Draw {f} next to it",
    "also {f}", "Let {f} join", "With a friend, {f}", "{f} comes along", "plus {f}", "now {f} is there too",
)  # fmt: skip
ANY_FRIEND_EDITS = ("Add a friend", "With a friend", "Give {him} a friend", "Now with a friend", "{He} needs a friend",
                    "Add another animal", "Add somebody", "{He} should not be alone", "and a friend")  # fmt: skip
ALONE_EDITS = ("Remove the {f}", "Without the {f}", "Take away the {f}", "No {f}", "Get rid of the {f}",
               "only the {k}", "Now just the {k}", "The {k} alone", "Just the {k} please")  # fmt: skip
MORE_EDITS = ("Make it {n} {s}", "{N} {s}", "Now {n} of them", "{n} of them", "I want {n} {s}", "Draw {n} {s}",
              "{n} {s} instead", "make that {n}", "Can there be {n} {s}?")  # fmt: skip
ANOTHER_EDITS = (
    "Another one", "One more", "Again", "Another picture please", "Draw another one", "One more please",
    "Show me another", "More!", "Do it again", "Try again", "A different one", "Once more", "another", "Next",
    "Give me another one", "Can I have another one?", "Draw it again", "the same again", "again please",
)  # fmt: skip
EDIT_BEFORE = ("Nice!", "Thanks!", "Cute!", "Great.", "I like it.", "Good, but", "Hmm.", "Wow!", "Lovely!", "Ok.",
               "Cool!", "Perfect.", "Almost.", "Haha.", "Thank you.", "Yay!", "So sweet!", "Very good,")  # fmt: skip
REPLIES = ("Now it is {x}.", "Here is {x}.", "Now you see {x}.", "Done! Here is {x}.", "Sure: {x}.",
           "I changed it: {x}.", "Of course. Here is {x}.", "Ok! Here is {x}.", "{X}, as you wished.")  # fmt: skip
