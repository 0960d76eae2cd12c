using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>A name whose validations fail on purpose, a number of times.</summary>
internal sealed record ValidationFailure(Problem Problem, int Times);
