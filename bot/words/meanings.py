"""What people want of the bot, and how they say it in plain words, in English and German."""

from dataclasses import dataclass

from shared.language import N_


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """One thing that a person may want, and how people say it."""

    command: str
    label: str  # of its button, in English
    of_job: bool = False  # it goes to the job that is named beside it
    phrases: tuple[str, ...]
    words: str = ""  # of which one makes it likely, wherever it stands: alternatives of a pattern
    arguments: tuple[str, ...] = ()  # behind the job, or alone


MEANINGS = (
    Meaning(
        command="status", label=N_("How it stands"), of_job=True,
        words=r"done|ready|finished|eta|progress|how far|how long|"
        r"time left|still|fertig|wie weit|wie lange|dauert|läuft|noch",
        phrases=(
            "status", "how far is it", "how far along is it", "how is it going", "how long does it take",
            "how much longer", "when is it done", "when is it ready", "is it done", "is it finished", "is it ready",
            "are we there yet", "progress", "eta", "time left", "what is it doing", "show job", "is it still running",
            "where is my model", "result", "results",
            "wie weit ist es", "wie weit bist du", "wie lange noch", "wie lange dauert es", "wann ist es fertig",
            "ist es fertig", "fertig", "stand", "wie läuft es", "läuft es noch", "was macht er", "fortschritt",
            "wo ist mein modell", "ergebnis", "how far are you", "are you done", "how is it doing",
            "what is the status",
        ),
    ),
    Meaning(
        command="cancel", label=N_("Stop the job"), of_job=True,
        words=r"stop|cancel|abort|kill|quit|abbrechen|stopp|aufhören|brich|hör auf|"
        r"drop it|end it|forget it|falsche",
        phrases=(
            "stop", "stop it", "stop job", "stop training", "cancel", "cancel it", "abort", "abort training",
            "kill it", "end it", "quit training", "stopp", "stoppen", "anhalten", "halt", "abbrechen", "brich ab",
            "hör auf", "training abbrechen", "beenden", "make it stop", "stop that",
        ),
    ),
    Meaning(
        command="pause", label=N_("Pause"), of_job=True,
        words=r"pause|game|games|gaming|play|zocken|spielen|break|hold on|my gpu|pausier\w*|"
        r"anhalten|render\w*",
        phrases=(
            "pause", "pause it", "hold on", "wait", "i need my gpu", "i need gpu for a game", "i want to play",
            "free gpu", "give me gpu back", "take a break", "pausieren", "warte", "ich brauche meine gpu",
            "ich will zocken", "gib gpu frei", "mach pause",
        ),
    ),
    Meaning(
        command="resume", label=N_("Go on"), of_job=True,
        words=r"resume|continue|unpause|carry on|weiter|weitermachen|fortsetzen|"
        r"pick it up|left off",
        phrases=(
            "resume", "go on", "continue", "unpause", "carry on", "weiter", "mach weiter", "fortsetzen",
            "weitermachen", "let it go on", "start it again",
        ),
    ),
    Meaning(
        command="finetune", label=N_("Try the sample"),
        words=r"train|training|fine-?tun\w*|teach|learn|trainier\w*|anlernen|beibringen|lernen|"
        r"another file|emails|messages|nachrichten|noch ein\w*",
        phrases=(
            "train", "train a model", "fine-tune", "finetune", "fine tune a model", "teach", "teach a model", "start",
            "start training", "new model", "make a model", "learn from my data", "begin", "how do i start",
            "how do i train", "trainieren", "trainiere ein modell", "modell trainieren", "neues modell", "anlernen",
            "bring ihm etwas bei", "training starten", "wie fange ich an", "los", "how does training work",
            "can you train my data",
        ),
    ),
    Meaning(
        command="try", label=N_("Ask the model"), of_job=True,
        words=r"ask|test|try|frag\w*|testen|ausprobier\w*",
        phrases=(
            "try", "try it", "try model", "ask model", "test it", "ask it something", "question", "ausprobieren",
            "modell testen", "frag es",
        ),
    ),
    Meaning(
        command="chat", label=N_("Talk with it"), of_job=True,
        words=r"chat|talk|speak|conversation|reden|sprechen|chatten|unterhalten",
        phrases=(
            "chat", "chat with it", "talk to it", "talk to model", "talk with it", "speak with it", "can i talk to it",
            "let me talk to it", "have a conversation", "mit ihm reden", "mit ihm chatten", "chatten", "reden",
            "sprich mit mir", "ich will mit ihm reden",
        ),
    ),
    Meaning(
        command="status", label=N_("The files"), of_job=True, arguments=("files",),
        words=r"files|file|download|gguf|ollama|adapter|modelfile|send|dateien|herunterladen|schick",
        phrases=(
            "files", "send me the files", "download", "where are my files", "send me the model",
            "how do i get it into ollama",
            "how do i use it in ollama", "gguf", "schick mir die dateien", "wo sind die dateien", "herunterladen",
            "wie bekomme ich es in ollama",
        ),
    ),
    Meaning(
        command="who", label=N_("Who may use me"),
        words=r"who can|who may|friend|friends|allow|"
        r"permission|permissions|wer darf|freund|freunde|erlauben",
        phrases=(
            "who can use this", "who may use this", "can my friend use it", "let my friend use it", "add my friend",
            "wer darf das benutzen", "darf mein freund das benutzen",
        ),
    ),
    Meaning(
        command="share", label=N_("A picture to post"), of_job=True,
        words=r"share|post|friends|teilen",
        phrases=("share", "share it", "post it", "picture to post", "show my friends", "teilen", "bild zum teilen"),
    ),
    Meaning(
        command="retry", label=N_("Train it again"), of_job=True,
        words=r"again|retry|redo|improve|better|longer|"
        r"more|once more|nochmal|noch mal|neu|besser|länger",
        phrases=(
            "retry", "again", "train again", "once more", "do it again", "run it again", "redo", "nochmal",
            "noch einmal", "neu trainieren", "wiederholen", "von vorn",
        ),
    ),
    Meaning(
        command="plot", label=N_("The loss curve"), of_job=True,
        words=r"loss|curve|plot|graph|chart|learning|kurve|diagramm|lernt|lernkurve",
        phrases=(
            "plot", "loss", "loss curve", "show loss", "graph", "chart", "curve", "is it learning", "learning curve",
            "kurve", "verlust", "lernkurve", "diagramm", "lernt es",
        ),
    ),
    Meaning(
        command="log", label=N_("What happened"), of_job=True,
        words=r"error|errors|fail\w*|crash\w*|wrong|broke|log|"
        r"logs|happened|fehler|gescheitert|schief|passiert|abgestürzt|"
        r"raw|output|lines|warum|woran|why",
        phrases=(
            "log", "logs", "what happened", "what went wrong", "why did it fail", "why did it stop", "error",
            "it failed", "it crashed", "details", "was ist passiert", "was ging schief", "warum ist es gescheitert",
            "fehler", "protokoll", "abgestürzt",
        ),
    ),
    Meaning(
        command="gpu", label=N_("The machine"),
        words=r"gpu|vram|slow|slower|fast|hot|temperature|"
        r"memory|ram|hardware|langsam|heiß|grafikkarte|karte|speicher|"
        r"card|nvidia|machine|hogging",
        phrases=(
            "gpu", "vram", "memory", "which gpu", "what gpu", "machine", "hardware", "why so slow", "why is it slow",
            "it is slow", "how fast is it", "temperature", "disk space", "is pc on", "grafikkarte", "speicher",
            "warum so langsam", "warum ist es so langsam", "rechner", "temperatur", "welche gpu", "how much vram",
            "how much memory is free", "wie viel speicher ist frei",
        ),
    ),
    Meaning(
        command="queue", label=N_("Whose turn it is"),
        words=r"queue|turn|in line|waiting|before me|ahead|warteschlange|dran|schlange|vor mir|"
        r"line|turn",
        phrases=(
            "queue", "whose turn is it", "when is it my turn", "who is first", "who is training", "waiting list",
            "warteschlange", "wer ist dran", "wann bin ich dran", "how many are before me", "wie viele sind vor mir",
        ),
    ),
    Meaning(
        command="models", label=N_("Base models"),
        words=r"models|llama|qwen|mistral|gemma|phi|smollm|base model|modelle|basismodell",
        phrases=(
            "models", "which models", "what models are there", "list models", "base models", "can i use llama",
            "can i use qwen", "modelle", "welche modelle gibt es", "basismodelle",
        ),
    ),
    Meaning(
        command="jobs", label=N_("All jobs"),
        words=r"jobs|history|runs|aufträge|läufe|"
        r"so far|everything|bisher\w*|trainings",
        phrases=(
            "jobs", "list jobs", "all jobs", "what is running", "history", "alle jobs", "liste", "was läuft",
            "aufträge",
        ),
    ),
    Meaning(
        command="dataset", label=N_("Forms of data"),
        words=r"format|csv|json|jsonl|excel|xlsx|txt|rows|"
        r"examples|dataset|data|datensatz|daten|zeilen|beispiele|datei",
        phrases=(
            "dataset", "data", "which format", "what format", "file format", "what should my file look like",
            "example file", "jsonl", "csv", "how many rows", "datensatz", "daten", "welches format",
            "wie muss die datei aussehen", "dateiformat", "wie viele zeilen",
        ),
    ),
    Meaning(
        command="delete", label=N_("Delete files"), of_job=True,
        words=r"delete|remove|erase|lösch\w*|entfern\w*|wegwerfen|"
        r"throw away",
        phrases=(
            "delete", "delete it", "remove", "delete model", "delete files", "free disk", "löschen", "lösch es",
            "modell löschen", "dateien löschen", "entfernen",
        ),
    ),
    Meaning(
        command="help", label=N_("What I can do"),
        words=r"help|hilfe|hello|hi|hey|hallo|moin|"
        r"servus|what can you|who are you|wer bist du|"
        r"wie geht",
        phrases=(
            "help", "help me", "what can you do", "what do you do", "what is this", "who are you", "commands",
            "hello", "hi", "hey", "good morning", "how does this work", "manual", "hilfe", "was kannst du",
            "was ist das", "wer bist du", "befehle", "hallo", "moin", "guten morgen", "wie geht das",
            "wie funktioniert das", "hi there", "hey there", "hallo du",
        ),
    ),
)  # fmt: skip
