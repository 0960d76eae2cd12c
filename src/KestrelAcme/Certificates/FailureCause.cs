namespace KestrelAcme.Certificates;

/// <summary>Who has to mend what failed. The histories are kept apart: an outage of the authority never slows a name, and a hopeless name never slows another.</summary>
public enum FailureCause
{
    /// <summary>The name: its validation failed, its order was refused.</summary>
    Name,

    /// <summary>The authority: unreachable, in trouble, or asking us to wait.</summary>
    Authority,

    /// <summary>A person: terms to accept, an account to bind, a CAA record or a forbidden name.</summary>
    Operator,

    /// <summary>This machine: its store, its clock, its listener.</summary>
    Local,
}
