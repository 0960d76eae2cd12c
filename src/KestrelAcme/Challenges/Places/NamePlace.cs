namespace KestrelAcme.Challenges.Places;

/// <summary>Where a name leads, as far as this machine can tell.</summary>
internal enum NamePlace
{
    /// <summary>DNS gave no answer.</summary>
    Unknown,

    /// <summary>DNS says that there is nothing under the name.</summary>
    Gone,

    /// <summary>Somebody else answers at every address of the name.</summary>
    Elsewhere,

    /// <summary>The name is there, and nothing shows that it leads elsewhere: behind NAT or a load balancer our own addresses are not in DNS, and the public ones often cannot be reached from inside.</summary>
    Undecided,

    /// <summary>The name leads to this machine, or to an instance with the same store.</summary>
    Here,
}
