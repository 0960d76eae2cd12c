namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>The problem that orders with <c>replaces</c> meet. Immutable.</summary>
/// <param name="Type">The problem's type, such as <c>alreadyReplaced</c> or <c>serverInternal</c>.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">The text for people.</param>
public sealed record RefusedReplaces(string Type, int Status, string Detail);
