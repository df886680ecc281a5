//! Where the large parts stand on a screen of a given size. The core needs it to know what a page is; the
//! view draws by it.

/// Smallest terminal that the interface fits in.
pub const SMALLEST: (u16, u16) = (60, 16);

/// From this width on the settings stand beside the table.
pub const WIDE: u16 = 110;

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Area {
    /// Left column.
    pub x: u16,
    /// Top row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// The parts of the main screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Tenant, environment, what the token may do.
    pub header: Area,
    /// Filter and counts.
    pub status: Area,
    /// Column heads and rows, where the table is visible.
    pub table: Option<Area>,
    /// The settings, where they are open.
    pub pane: Option<Area>,
    /// What just happened, and what goes on.
    pub notice: Area,
    /// The keys that work now.
    pub footer: Area,
}

impl Geometry {
    /// For a screen of `size`, with the settings open or not. `None` where it is too small.
    #[must_use]
    pub fn of(size: (u16, u16), pane_open: bool) -> Option<Self> {
        let (width, height) = size;
        if width < SMALLEST.0 || height < SMALLEST.1 {
            return None;
        }
        let line = |y| Area { x: 0, y, width, height: 1 };
        let body = Area { x: 0, y: 2, width, height: height - 4 };
        let (table, pane) = match (pane_open, width >= WIDE) {
            (false, _) => (Some(body), None),
            (true, false) => (None, Some(body)),
            (true, true) => {
                let pane_width = (width * 9 / 20).clamp(58, 92);
                let table = Area { width: width - pane_width, ..body };
                (Some(table), Some(Area { x: table.width, width: pane_width, ..body }))
            }
        };
        Some(Self { header: line(0), status: line(1), table, pane, notice: line(height - 2), footer: line(height - 1) })
    }

    /// How many clients the table shows at once: one line is for the column heads.
    #[must_use]
    pub fn page(&self) -> usize {
        self.table.map_or(1, |table| usize::from(table.height.saturating_sub(1)).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_beside_the_table_where_there_is_room_and_over_it_where_not() {
        assert!(Geometry::of((59, 16), false).is_none());
        let narrow = Geometry::of((80, 24), true).expect("fits");
        assert!(narrow.table.is_none() && narrow.pane.is_some_and(|pane| pane.width == 80));
        let wide = Geometry::of((120, 36), true).expect("fits");
        let (table, pane) = (wide.table.expect("table"), wide.pane.expect("pane"));
        assert_eq!(table.width + pane.width, 120);
        assert_eq!(pane.x, table.width);
        assert_eq!(Geometry::of((80, 24), false).expect("fits").page(), 19);
    }
}
