namespace KestrelAcme.Challenges.Dns01;

/// <summary>What DNS shows of some records.</summary>
/// <param name="Mark">Differs as soon as DNS shows something else; <see langword="null"/> when some of it could not be looked up.</param>
/// <param name="ShowsAll">Whether the records to create are there, as far as that can be told from the record itself.</param>
internal readonly record struct RecordView(string? Mark, bool ShowsAll);
