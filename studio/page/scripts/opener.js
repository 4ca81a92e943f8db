// Opens and closes the column it stands in. The fields there are in the page from the start: if Gradio made them only
// when they open, an answer that comes in at that moment would undo what is typed first.
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
