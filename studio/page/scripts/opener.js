// Opens and closes the column it stands in. The fields there are in the page from the start: what is typed the moment
// they are seen would be lost if Gradio made them only then, while an answer is coming in.
const button = element.querySelector('.opener').appendChild(document.createElement('button'));
button.type = 'button';
const column = element.closest('.folded');

function turn(isOpen) {
  column.toggleAttribute('data-open', isOpen);
  button.setAttribute('aria-expanded', isOpen);
}

const words = () => { button.textContent = props.title; };
button.addEventListener('click', () => turn(!column.hasAttribute('data-open')));
watch('title', words);
words();
turn(false);
