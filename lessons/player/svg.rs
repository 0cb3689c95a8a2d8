//! `--svg FILE`: the lanes as a picture for a lesson's text.

use std::fmt::Write;

use handloop::TaskState;

use super::lanes::{Arrow, Lane, Lanes};
use super::sentence::state_name;

/// So many steps stand beside each other; the rest goes on below.
const STEPS: usize = 56;
const STEP: usize = 15;
const LANE: usize = 30;
const LABEL: usize = 210;
/// Above each row of lanes, for the numbers of the steps and the gaps.
const HEAD: usize = 40;

/// The picture. It has a background of its own, so that it can be read on any page.
pub fn svg(title: &str, lanes: &Lanes) -> String {
    let mut drawn = String::new();
    let mut top = 0;
    for first in (1..=lanes.last.max(1)).step_by(STEPS) {
        let last = (first + STEPS - 1).min(lanes.last);
        let seen = (0..lanes.lanes.len()).filter(|lane| lanes.lanes[*lane].is_seen(first..=last)).collect();
        let block = Block { lanes, seen, first, last, top };
        block.draw(&mut drawn);
        top = block.bottom() + 16;
    }
    let (width, height) = (LABEL + lanes.last.clamp(30, STEPS) * STEP + 30, top + 30);
    legend(&mut drawn, height - 14);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"15\" fill=\"#1a1a1a\">\n\
         <title>{}: a lane for each task, step by step</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <defs><marker id=\"tip\" markerWidth=\"5\" markerHeight=\"5\" refX=\"4\" refY=\"2.5\" orient=\"auto\">\
         <path d=\"M0 0L5 2.5L0 5z\" fill=\"#a3290a\"/></marker></defs>\n{drawn}</svg>\n",
        escape(title)
    )
}

/// Some steps beside each other, and the lanes in which there is anything at these steps.
struct Block<'a> {
    lanes: &'a Lanes,
    seen: Vec<usize>,
    first: usize,
    last: usize,
    top: usize,
}

impl Block<'_> {
    fn draw(&self, text: &mut String) {
        for step in (self.first..=self.last).filter(|step| *step == self.first || step % 10 == 0) {
            let _ = writeln!(
                text,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"12\" fill=\"#555\">{step}</text>",
                self.middle(step),
                self.top + HEAD - 6
            );
        }
        for gap in self.lanes.gaps.iter().filter(|gap| self.shows(gap.step)) {
            let x = self.x(gap.step);
            let _ = writeln!(
                text,
                "<path d=\"M{x} {}V{}\" stroke=\"#555\" stroke-dasharray=\"3 3\"/>\
                 <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-size=\"13\">{}</text>",
                self.top + 22,
                self.bottom(),
                self.top + 16,
                gap.short()
            );
        }
        for lane in self.seen.iter().map(|lane| &self.lanes.lanes[*lane]) {
            let y = self.y_of(lane);
            let name = super::screen::fit(&lane.name, 26);
            let _ = writeln!(text, "<text x=\"10\" y=\"{}\">{}</text>", y + LANE / 2 + 5, escape(&name));
            for segment in &lane.segments {
                let (from, to) = (segment.from.max(self.first), segment.to.min(self.last + 1));
                if from < to {
                    self.segment(text, segment.state, from, to, y);
                }
            }
            if lane.id.is_none() {
                for (step, _) in lane.marks.iter().filter(|(step, _)| self.shows(*step)) {
                    let (x, y) = (self.middle(*step), y + LANE / 2);
                    let _ = writeln!(text, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"#555\"/>");
                }
            }
        }
        for arrow in self.lanes.arrows.iter().filter(|arrow| self.shows(arrow.step)) {
            self.arrow(text, arrow);
        }
    }

    fn segment(&self, text: &mut String, state: TaskState, from: usize, to: usize, y: usize) {
        let (x, width, middle) = (self.x(from), (to - from) * STEP, y + LANE / 2);
        let _ = match state {
            TaskState::Running => {
                writeln!(text, "<rect x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"20\" fill=\"#1f5fa8\"/>", y + 5)
            }
            TaskState::Ready => writeln!(
                text,
                "<rect x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"10\" fill=\"#fff\" stroke=\"#1f5fa8\" \
                 stroke-width=\"2\"/>",
                y + 10
            ),
            TaskState::Waiting => writeln!(
                text,
                "<path d=\"M{x} {middle}h{width}\" stroke=\"#555\" stroke-width=\"2\" stroke-dasharray=\"2 4\"/>"
            ),
            TaskState::Finished | TaskState::Panicked | TaskState::Cancelled if from == self.first && from != 1 => {
                Ok(())
            }
            over => writeln!(
                text,
                "<path d=\"M{x} {}v20\" stroke=\"#1a1a1a\" stroke-width=\"3\"/><text x=\"{}\" y=\"{}\" \
                 font-size=\"12\">{}</text>",
                y + 5,
                x + 5,
                middle + 4,
                state_name(over)
            ),
        };
    }

    /// Wakes and cancels; and what others than tasks send.
    fn arrow(&self, text: &mut String, arrow: &Arrow) {
        let lane = |place: usize| &self.lanes.lanes[place];
        let is_drawn =
            matches!(arrow.kind, "wake" | "cancel") || lane(arrow.from).id.is_none() && arrow.kind == "spawn";
        if !is_drawn {
            return;
        }
        let middle_of = |place: usize| self.y_of(lane(place)) + LANE / 2;
        let (x, from, to) = (self.middle(arrow.step), middle_of(arrow.from), middle_of(arrow.to));
        let _ = if arrow.from == arrow.to {
            writeln!(text, "<circle cx=\"{x}\" cy=\"{to}\" r=\"4\" fill=\"#a3290a\"/>")
        } else {
            let end = if from < to { to - 8 } else { to + 8 };
            writeln!(
                text,
                "<circle cx=\"{x}\" cy=\"{from}\" r=\"3\" fill=\"#a3290a\"/><path d=\"M{x} {from}V{end}\" \
                 stroke=\"#a3290a\" stroke-width=\"2\" marker-end=\"url(#tip)\"/>"
            )
        };
    }

    fn shows(&self, step: usize) -> bool {
        (self.first..=self.last).contains(&step)
    }

    fn x(&self, step: usize) -> usize {
        LABEL + (step - self.first) * STEP
    }

    fn middle(&self, step: usize) -> usize {
        self.x(step) + STEP / 2
    }

    /// A lane that an arrow ends at is seen, since that is a mark in it.
    fn y_of(&self, lane: &Lane) -> usize {
        let place = self.seen.iter().position(|seen| std::ptr::eq(&self.lanes.lanes[*seen], lane)).unwrap_or(0);
        self.top + HEAD + place * LANE
    }

    fn bottom(&self) -> usize {
        self.top + HEAD + self.seen.len() * LANE
    }
}

fn legend(text: &mut String, y: usize) {
    let (box_at, words) = (y - 11, y);
    let _ = writeln!(
        text,
        "<rect x=\"10\" y=\"{box_at}\" width=\"24\" height=\"14\" fill=\"#1f5fa8\"/>\
         <text x=\"40\" y=\"{words}\">running</text>\
         <rect x=\"120\" y=\"{}\" width=\"24\" height=\"8\" fill=\"#fff\" stroke=\"#1f5fa8\" stroke-width=\"2\"/>\
         <text x=\"150\" y=\"{words}\">ready</text>\
         <path d=\"M215 {}h24\" stroke=\"#555\" stroke-width=\"2\" stroke-dasharray=\"2 4\"/>\
         <text x=\"245\" y=\"{words}\">waiting</text>\
         <circle cx=\"325\" cy=\"{}\" r=\"3\" fill=\"#a3290a\"/><path d=\"M325 {}v-15\" stroke=\"#a3290a\" \
         stroke-width=\"2\" marker-end=\"url(#tip)\"/>\
         <text x=\"340\" y=\"{words}\">wakes, sends, cancels</text>",
        box_at + 3,
        box_at + 7,
        box_at + 14,
        box_at + 14
    );
}

/// Text that stands in a page or a picture.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
