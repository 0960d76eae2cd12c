namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Something to do for a certificate.</summary>
/// <param name="Due">When; in the past means now.</param>
/// <param name="Lane">What kind of work it is.</param>
/// <param name="Urgency">Of the works that are due, the one with the earliest urgency goes first: the end of the certificate's life.</param>
internal readonly record struct PlannedWork(DateTimeOffset Due, WorkLane Lane, DateTimeOffset Urgency);
