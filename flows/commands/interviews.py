"""`veldwerk interviews`."""

from flows.adding import taking_in

command = taking_in(
    "transcripts",
    "interviews",
    tells="Take interview transcripts in through the same gate and codebook.",
    adds="Read transcripts (.docx .vtt .srt .txt) into a case.",
)
