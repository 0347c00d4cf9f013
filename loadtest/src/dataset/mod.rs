//! A synthetic results data set: what the bot is fed with, and what the auditor knows to be true.
//!
//! What lives here: [`Truth`], made from a seed alone, and its CSV form. The auditor compares every card
//! with the truth itself, never with the file or anything the server derived from it.

mod names;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{self, Write};
use std::sync::OnceLock;

use names::lists;

/// The subjects, in the order of the columns.
pub const SUBJECTS: [&str; 7] =
    ["arabic", "english", "mathematics", "physics", "chemistry", "biology", "islamic"];

/// The first line of the CSV.
pub const HEADER: &str = "number,name,school,governorate,branch,\
arabic,english,mathematics,physics,chemistry,biology,islamic,total,average,status";

/// Most rows of one data set: a number is 2 digits of governorate and 6 of serial.
pub const ROWS_MAX: usize = 3_000_000;

/// Share of all pupils by governorate, in thousandths, in the order of the list.
const SHARES: [usize; 19] = [215, 80, 100, 45, 55, 35, 5, 42, 44, 48, 43, 54, 34, 40, 35, 22, 57, 30, 16];

/// Schools of one governorate per thousand of its pupils.
const SCHOOLS_PER_THOUSAND: usize = 9;

/// One pupil. Names are indices into the lists, so that 700,000 take 30 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pupil {
    /// The exam number, 8 digits, unique; ascending within a data set.
    pub number: u32,
    /// Marks in the order of [`SUBJECTS`], 0 to 100.
    pub marks: [u8; 7],
    girl: bool,
    branch: u8,
    governorate: u8,
    school: u16,
    /// Given name, father's, grandfather's, family.
    name: [u16; 4],
}

impl Pupil {
    /// The full name, as in the file.
    pub fn name(&self) -> String {
        self.names().join(" ")
    }

    /// The full name in its parts: given name, father's, grandfather's, family. A part may hold a blank.
    pub fn names(&self) -> [&'static str; 4] {
        let names = lists();
        let own = if self.girl { &names.girls } else { &names.boys };
        [
            own[usize::from(self.name[0])],
            names.boys[usize::from(self.name[1])],
            names.boys[usize::from(self.name[2])],
            names.families[usize::from(self.name[3])],
        ]
    }

    /// Sum of the marks.
    pub fn total(&self) -> u32 {
        self.marks.iter().map(|&mark| u32::from(mark)).sum()
    }

    /// The mean in hundredths, rounded to the nearest: 8314 is 83.14.
    pub fn average_hundredths(&self) -> u32 {
        (self.total() * 100 + 3) / 7
    }

    /// The status word: passed, a second try in up to two subjects, failed.
    pub fn status(&self) -> &'static str {
        match self.marks.iter().filter(|&&mark| mark < 50).count() {
            0 => "ناجح",
            1 | 2 => "مكمل",
            _ => "راسب",
        }
    }

    /// The governorate, as in the file.
    pub fn governorate(&self) -> &'static str {
        lists().governorates[usize::from(self.governorate)].0
    }

    fn branch(&self) -> &'static str {
        ["علمي أحيائي", "علمي تطبيقي", "أدبي"][usize::from(self.branch)]
    }

    /// The school, as in the file. It follows from its index alone.
    pub fn school(&self) -> String {
        let names = lists();
        let kind = if self.school.is_multiple_of(3) { "ثانوية" } else { "إعدادية" };
        let namesake = names.families[(usize::from(self.school) * 31) % names.families.len()];
        let side = if self.girl { "للبنات" } else { "للبنين" };
        format!("{kind} {namesake} {side}")
    }

    /// What a list of names says of a pupil, on a button: name, school, governorate.
    pub fn label(&self) -> String {
        format!("{}، {}، {}", self.name(), self.school(), self.governorate())
    }

    /// The mean as the file has it: `83.14`.
    pub fn average(&self) -> String {
        let average = self.average_hundredths();
        format!("{}.{:02}", average / 100, average % 100)
    }
}

/// All pupils of a data set, by ascending number.
#[derive(Clone, Debug)]
pub struct Truth {
    pupils: Vec<Pupil>,
    /// How many names begin so, by the hash of two parts or more; made when first asked for.
    beginnings: OnceLock<HashMap<u64, u32>>,
}

impl Truth {
    /// Makes `rows` pupils (at most [`ROWS_MAX`]). The same seed and count give the same pupils.
    pub fn generate(rows: usize, seed: u64) -> Truth {
        let rows = rows.min(ROWS_MAX);
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x7265_7375_6c74_7321);
        let mut pupils = Vec::with_capacity(rows);
        let mut share_so_far = 0;
        for (governorate, share) in SHARES.iter().enumerate() {
            share_so_far += share;
            let count = rows * share_so_far / 1000 - pupils.len();
            add_governorate(&mut pupils, governorate, count, &mut rng);
        }
        Truth { pupils, beginnings: OnceLock::new() }
    }

    /// Every pupil.
    pub fn pupils(&self) -> &[Pupil] {
        &self.pupils
    }

    /// The pupil with this number. O(log n).
    pub fn find(&self, number: u64) -> Option<&Pupil> {
        let number = u32::try_from(number).ok()?;
        let at = self.pupils.binary_search_by_key(&number, |pupil| pupil.number).ok()?;
        Some(&self.pupils[at])
    }

    /// Of how many pupils two parts or more of the name, the first ones, are these words. `fold` makes one
    /// spelling of many; `words` is folded already. O(1) but for the first call, which folds every name.
    pub fn named(&self, words: &str, fold: impl Fn(&str) -> String) -> u32 {
        let hash = |words: &str| BuildHasherDefault::<DefaultHasher>::default().hash_one(words);
        let all = self.beginnings.get_or_init(|| {
            let mut all = HashMap::new();
            for names in self.pupils.iter().map(Pupil::names) {
                for parts in 2..=names.len() {
                    *all.entry(hash(&fold(&names[..parts].join(" ")))).or_insert(0) += 1;
                }
            }
            all
        });
        all.get(&hash(words)).copied().unwrap_or(0)
    }

    /// Writes the CSV with its header.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{HEADER}")?;
        for pupil in &self.pupils {
            let (number, name, school) = (pupil.number, pupil.name(), pupil.school());
            write!(out, "{number},{name},{school},{},{},", pupil.governorate(), pupil.branch())?;
            for mark in pupil.marks {
                write!(out, "{mark},")?;
            }
            writeln!(out, "{},{},{}", pupil.total(), pupil.average(), pupil.status())?;
        }
        Ok(())
    }
}

fn add_governorate(pupils: &mut Vec<Pupil>, governorate: usize, count: usize, rng: &mut fastrand::Rng) {
    let names = lists();
    let mut number = 11_000_000 + 1_000_000 * governorate as u32;
    let schools = (count * SCHOOLS_PER_THOUSAND / 1000).max(1);
    for nth in 0..count {
        // Real lists have holes where a candidate withdrew.
        number += if rng.u8(..50) == 0 { 2 } else { 1 };
        // Pupils of one school sit together and have consecutive numbers.
        let school = (nth * schools / count) as u16;
        let girl = school % 2 == 1;
        let own = if girl { names.girls.len() } else { names.boys.len() };
        pupils.push(Pupil {
            number,
            marks: marks(rng),
            girl,
            branch: (school / 2 % 3) as u8,
            governorate: governorate as u8,
            school,
            name: [
                rng.usize(..own) as u16,
                rng.usize(..names.boys.len()) as u16,
                rng.usize(..names.boys.len()) as u16,
                rng.usize(..names.families.len()) as u16,
            ],
        });
    }
}

/// Marks gather around what the pupil is able to do.
fn marks(rng: &mut fastrand::Rng) -> [u8; 7] {
    let able = 45 + i32::from(rng.u8(..26)) + i32::from(rng.u8(..26));
    std::array::from_fn(|_| {
        let luck = i32::from(rng.u8(..13)) + i32::from(rng.u8(..13)) - 12;
        (able + luck).clamp(0, 100) as u8
    })
}
