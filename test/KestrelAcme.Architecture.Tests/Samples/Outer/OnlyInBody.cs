using KestrelAcme.Architecture.Tests.Samples.Inner;

namespace KestrelAcme.Architecture.Tests.Samples.Outer;

internal static class OnlyInBody
{
    public static int Read() => Target.Count;
}
