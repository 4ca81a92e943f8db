def reason(language: str, sentence: str) -> str:
    return sentence
